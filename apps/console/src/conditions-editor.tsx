import 'react-querybuilder/dist/query-builder.css';
import { t, useLanguage } from '@premia/ui';
import { useState } from 'react';
import { QueryBuilder, type RuleGroupType, type ValueEditorProps, type VersatileSelectorProps } from 'react-querybuilder';
import { fields, fromCondition, toCondition, type Condition } from './condition.ts';

/** The library's own controls carry their words as titles only; these say them. */
const Choice = ({ options, value, handleOnChange, title, className }: VersatileSelectorProps) => <select aria-label={title} className={className} value={String(value ?? '')} onChange={(event) => handleOnChange(event.target.value)}>{(options as { name: string; label: string }[]).map((option) => <option key={option.name} value={option.name}>{option.label}</option>)}</select>;
const Value = ({ value, handleOnChange, title, className, inputType }: ValueEditorProps) => <input aria-label={title} className={className} inputMode={inputType === 'number' ? 'decimal' : 'text'} value={String(value ?? '')} onChange={(event) => handleOnChange(event.target.value)} />;
const CONTROLS = { combinatorSelector: Choice, fieldSelector: Choice, operatorSelector: Choice, valueEditor: Value };

/** Which facts count: rules and groups, by keyboard too. */
export function ConditionsEditor({ value, change }: { value: Condition | undefined; change: (value: Condition | undefined) => void }) {
  const language = useLanguage();
  const [group, setGroup] = useState<RuleGroupType>(() => fromCondition(value));
  const named = (word: string) => ({ title: word });
  return (
    <QueryBuilder key={language} controlElements={CONTROLS} fields={fields()} query={group} showNotToggle onQueryChange={(next) => { setGroup(next); change(toCondition(next)); }} combinators={[{ name: 'and', label: t('wszystkie', 'all of') }, { name: 'or', label: t('którekolwiek', 'any of') }]}
      translations={{ fields: named(t('Pole', 'Field')), operators: named(t('Porównanie', 'Comparison')), value: named(t('Wartości, po przecinku', 'Values, with commas')), combinators: named(t('Łącznie', 'Together')), notToggle: { label: t('nie', 'not'), title: t('Odwróć', 'Invert') }, addRule: { label: t('+ warunek', '+ condition'), title: t('Dodaj warunek', 'Add a condition') }, addGroup: { label: t('+ grupa', '+ group'), title: t('Dodaj grupę', 'Add a group') }, removeRule: { label: t('usuń', 'remove'), title: t('Usuń warunek', 'Remove the condition') }, removeGroup: { label: t('usuń', 'remove'), title: t('Usuń grupę', 'Remove the group') } }} />
  );
}
