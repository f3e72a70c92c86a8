import { Alert, Button, Select, Stack, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { PremiaProblem, api, codeOf, count, day, inUnit, languageNow, locale, month, plural, said, signed, t, whatWentWrong } from '@premia/ui';
import { Suspense, lazy, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import type { Condition } from './condition.ts';
import { Bones, Card, Confirm, Failed, Head, told, useGuard, useUnsaved, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

const ConditionsEditor = lazy(() => import('./conditions-editor.tsx').then((part) => ({ default: part.ConditionsEditor })));
type Draft = Record<string, unknown> & { key?: string };
type Field = { type?: string; enum?: string[]; default?: unknown; anyOf?: { type?: string }[]; items?: { properties?: Record<string, Field> } };
type Form = { properties?: Record<string, Field>; required?: string[] };

/** A rule is written beside what it does: its sentence, ten real cases, what it would have cost. */
export function Builder({ id = 'new' }: { id?: string }) {
  const { program } = useHere();
  const may = useMay();
  const fresh = id === 'new';
  const list = useQuery({ queryKey: ['mechanics', program.key], queryFn: () => api.listMechanics({ params: { program: program.key } }) });
  const found = list.data?.mechanics.find((item) => item.key === id);
  const current = found?.versions.at(-1)?.definition as Draft | undefined;
  const [draft, setDraft] = useState<Draft | null>(null);
  const [publishing, setPublishing] = useState(false);
  const shown = draft ?? current ?? null;
  const dirty = draft !== null && JSON.stringify(flat(draft)) !== JSON.stringify(flat(current));
  useUnsaved(dirty);
  if (list.isPending) return <Bones />;
  if (list.isError) return <Failed error={list.error} again={() => void list.refetch()} />;
  if (!fresh && !found) return <Head title={t('Nie ma takiej mechaniki', 'There is no such mechanic')} trail={[['/mechanics', t('Mechaniki', 'Mechanics')]]} />;
  const edit = may('rules:propose');
  return (
    <>
      <Head title={found ? said(found.name) : t('Nowa mechanika', 'A new mechanic')} trail={[['/mechanics', t('Mechaniki', 'Mechanics')]]} quiet={found ? `v${found.versions.at(-1)?.number} ${t('od', 'from')} ${day(found.versions.at(-1)?.from ?? null)}` : null} action={edit && shown ? <Button onClick={() => setPublishing(true)} disabled={!dirty}>{t('Opublikuj', 'Publish')}</Button> : null} />
      <div className="two">
        <Card title={t('Zasada', 'Rule')}>
          {edit ? (
            <Tabs defaultValue={fresh ? 'preset' : 'conditions'} keepMounted={false}>
              <Tabs.List mb="sm">{fresh ? <Tabs.Tab value="preset">{t('Z gotowych', 'From a preset')}</Tabs.Tab> : null}<Tabs.Tab value="conditions" disabled={shown === null}>{t('Co się liczy', 'What counts')}</Tabs.Tab><Tabs.Tab value="definition">{t('Cała definicja', 'Whole definition')}</Tabs.Tab><Tabs.Tab value="versions" disabled={!found}>{t('Wersje', 'Versions')}</Tabs.Tab></Tabs.List>
              <Tabs.Panel value="preset"><PresetForm change={setDraft} /></Tabs.Panel>
              <Tabs.Panel value="conditions">{shown ? <Suspense fallback={<Bones rows={3} />}><ConditionsEditor value={(shown['facts'] as { where?: Condition } | undefined)?.where} change={(where) => { const { where: _, ...facts } = (shown['facts'] ?? {}) as Record<string, unknown>; setDraft({ ...shown, facts: { ...facts, ...(where ? { where } : {}) } }); }} /></Suspense> : null}</Tabs.Panel>
              <Tabs.Panel value="definition"><Definition draft={shown} change={setDraft} /></Tabs.Panel>
              <Tabs.Panel value="versions"><Versions versions={found?.versions ?? []} /></Tabs.Panel>
            </Tabs>
          ) : <Versions versions={found?.versions ?? []} />}
        </Card>
        {edit && shown ? <Live draft={shown} /> : found ? <Card title={t('Zasada w zdaniu', 'The rule in a sentence')}><p className="sentence">{found.sentence.pl}</p><p className="sentence" lang="en">{found.sentence.en}</p></Card> : <Card title={t('Co by dała', 'What it would give')}><Text c="dimmed">{t('Wybierz wzór i wypełnij pola. Tu od razu zobaczysz zdanie, prawdziwe przypadki i koszt.', 'Choose a preset and fill it in. Here you see its sentence, real cases and cost at once.')}</Text></Card>}
      </div>
      {publishing && shown ? <Publish draft={shown} fresh={fresh} close={() => setPublishing(false)} /> : null}
    </>
  );
}

function PresetForm({ change }: { change: (draft: Draft) => void }) {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['presets'], queryFn: () => api.listPresets() });
  const [preset, setPreset] = useState<string | null>(null);
  const [values, setValues] = useState<Record<string, string>>({ key: '', from: new Date().toISOString().slice(0, 10), name: '' });
  const chosen = found.data?.presets.find((item) => item.key === preset);
  const form = (chosen?.form ?? {}) as Form;
  const fields = Object.entries(form.properties ?? {});
  useEffect(() => {
    if (preset === null || (values['key'] ?? '') === '') return;
    const wanted = Object.fromEntries(fields.flatMap(([name, field]) => { const value = values[`with.${name}`] ?? ''; return value === '' ? [] : [[name, readField(field, value)]]; }));
    if ((form.required ?? []).some((name) => wanted[name] === undefined && form.properties?.[name]?.default === undefined)) return;
    change({ preset, key: values['key'] as string, from: values['from'], ...(values['name'] ? { name: { pl: values['name'], en: values['name'] } } : {}), with: wanted });
  }, [preset, values]);
  if (found.isPending) return <Bones rows={3} />;
  if (found.isError) return <Failed error={found.error} />;
  return (
    <Stack>
      <Select label={t('Wzór', 'Preset')} searchable data={found.data.presets.map((item) => ({ value: item.key, label: said(item.name) }))} value={preset} onChange={setPreset} nothingFoundMessage={t('Nie ma takiego', 'No such one')} />
      {chosen ? (
        <>
          <label className="field">{t('Klucz (małe litery, cyfry, myślniki)', 'Key (lower case letters, digits, dashes)')}<input required pattern="[a-z0-9][a-z0-9._\-]*" value={values['key'] ?? ''} onChange={(event) => setValues({ ...values, key: event.target.value })} /></label>
          <label className="field">{t('Nazwa', 'Name')}<input value={values['name'] ?? ''} onChange={(event) => setValues({ ...values, name: event.target.value })} /></label>
          <label className="field">{t('Od dnia', 'From')}<input type="date" value={values['from'] ?? ''} onChange={(event) => setValues({ ...values, from: event.target.value })} /></label>
          {fields.map(([name, field]) => (field.enum ? <Select key={name} label={fieldWord(name)} data={field.enum} value={values[`with.${name}`] ?? (field.default as string | undefined) ?? null} onChange={(value) => setValues({ ...values, [`with.${name}`]: value ?? '' })} />
            : name === 'unit' ? <Select key={name} label={fieldWord(name)} data={program.units.map((unit) => unit.key)} value={values[`with.${name}`] ?? (field.default as string | undefined) ?? null} onChange={(value) => setValues({ ...values, [`with.${name}`]: value ?? '' })} />
              : <label key={name} className="field">{fieldWord(name)}{form.required?.includes(name) && field.default === undefined ? ` (${t('wymagane', 'required')})` : ''}<input value={values[`with.${name}`] ?? ''} placeholder={placeholder(field)} onChange={(event) => setValues({ ...values, [`with.${name}`]: event.target.value })} /></label>))}
        </>
      ) : null}
    </Stack>
  );
}

const FIELD_WORDS: Record<string, () => string> = { role: () => t('Kto zarabia', 'Who earns'), unit: () => t('Jednostka', 'Unit'), units: () => t('Ile punktów', 'How many units'), every: () => t('Za każde', 'For every'), per: () => t('Liczone na', 'Measured on'), window: () => t('Okres', 'Window'), steps: () => t('Progi (80%:300, 100%:800)', 'Steps (80%:300, 100%:800)'), bands: () => t('Pasma (0:0.01, 10000:0.02)', 'Bands (0:0.01, 10000:0.02)'), brand: () => t('Marka', 'Brand'), category: () => t('Kategoria', 'Category'), times: () => t('Ile razy', 'Times'), target: () => t('Cel', 'Target'), most: () => t('Najwyżej', 'At most'), reach: () => t('Osiągnąć', 'To reach'), badge: () => t('Odznaka', 'Badge'), quiz: () => t('Quiz', 'Quiz'), places: () => t('Za miejsca (1000, 600, 300)', 'For places (1000, 600, 300)'), categories: () => t('Ile kategorii', 'How many categories'), budget: () => t('Pula', 'Budget') };
const fieldWord = (name: string): string => FIELD_WORDS[name]?.() ?? name;
const isList = (field: Field): boolean => field.type === 'array';
const placeholder = (field: Field): string => (field.default === undefined ? '' : String(field.default));
/** „80%:300, 100%:800” is a list of steps; a plain list is values; everything else is as typed. */
function readField(field: Field, text: string): unknown {
  if (!isList(field)) return field.type === 'integer' || field.type === 'number' ? Number(text.replace(',', '.')) : text.replace(/^(-?\d+),(\d+)$/, '$1.$2');
  const columns = Object.keys(field.items?.properties ?? {});
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => (columns.length === 0 ? (/^-?\d+(\.\d+)?$/.test(part) ? Number(part) : part) : Object.fromEntries(part.split(':').map((value, index) => [columns[index] ?? '', value.trim()]))));
}

function Definition({ draft, change }: { draft: Draft | null; change: (draft: Draft) => void }) {
  const [text, setText] = useState(JSON.stringify(draft ?? {}, null, 2));
  const [wrong, setWrong] = useState('');
  const read = (value: string): void => { setText(value); try { change(JSON.parse(value) as Draft); setWrong(''); } catch (error) { setWrong((error as Error).message); } };
  return <><label className="field">{t('Mechanika jako dane (JSON)', 'The mechanic as data (JSON)')}<textarea className="mono" rows={24} spellCheck={false} value={text} onChange={(event) => read(event.target.value)} /></label>{wrong ? <Text c="var(--negative)" size="sm" role="alert">{t('To nie jest poprawny JSON:', 'This is not valid JSON:')} {wrong}</Text> : null}</>;
}

type Version = { number: number; from: string; to: string | null; sentence: { pl: string; en: string }; definition: unknown };
/** Versions newest first; what each changed against the one before it. */
function Versions({ versions }: { versions: readonly Version[] }) {
  const changes = (index: number): string[] => { const [now, before] = [flat(versions[index]?.definition), flat(versions[index - 1]?.definition)]; return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((path) => now[path] !== before[path] && path !== 'from').map((path) => `${path}: ${before[path] ?? '–'} → ${now[path] ?? '–'}`); };
  return <>{versions.map((version, index) => <div key={version.number} style={{ marginBottom: 12 }}><Text fw={600}>{t('Wersja', 'Version')} {version.number} · {day(version.from)} – {day(version.to)}</Text><p className="sentence">{said(version.sentence)}</p>{index > 0 ? changes(index).map((line) => <Text key={line} size="sm" className="mono">{line}</Text>) : null}</div>).toReversed()}</>;
}
function flat(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return { [path]: String(value) };
  return Object.assign({}, ...Object.entries(value).map(([key, item]) => flat(item, path === '' ? key : `${path}.${key}`))) as Record<string, string>;
}

const TYPING_MS = 700;
/** The panel that is the product: what the draft says and does, on real facts, while it is being written. */
function Live({ draft }: { draft: Draft }) {
  const { program } = useHere();
  const [settled, setSettled] = useState(draft);
  useEffect(() => { const soon = setTimeout(() => setSettled(draft), TYPING_MS); return () => clearTimeout(soon); }, [draft]);
  const tried = useQuery({ queryKey: ['try', program.key, settled, languageNow()], retry: false, staleTime: 300_000, queryFn: () => api.tryMechanic({ params: { program: program.key }, query: { locale: locale() }, body: { mechanic: settled } }) });
  return (
    <Card title={t('Gdyby działała', 'If it had run')} action={tried.isFetching ? <Text size="sm" c="dimmed" role="status">{t('liczę …', 'computing …')}</Text> : null}>
      {tried.isError ? <Problems error={tried.error} /> : tried.data ? (
        <Stack gap="md">
          <div><p className="sentence">{tried.data.sentence.pl}</p><p className="sentence" lang="en">{tried.data.sentence.en}</p></div>
          <Wide><table className="sheet"><thead><tr><th scope="col">{t('Miesiąc', 'Month')}</th><th scope="col">{t('Teraz', 'Now')}</th><th scope="col">{t('Z tą zasadą', 'With this rule')}</th><th scope="col">{t('Różnica', 'Difference')}</th></tr></thead><tbody>{tried.data.months.map((item) => <tr key={item.month}><td>{month(item.month)}</td><td>{inUnit(item.before, item.unit, program.units)}</td><td>{inUnit(item.after, item.unit, program.units)}</td><td>{signed(String(Number(item.after) - Number(item.before)))}</td></tr>)}</tbody></table></Wide>
          <Text size="sm">{t(`W trzech miesiącach: zyskuje ${plural(tried.data.winners, ['osoba', 'osoby', 'osób'], ['', ''])}, traci ${count(tried.data.losers)}, bez zmian ${count(tried.data.unchanged)}.`, `In three months: ${count(tried.data.winners)} gain, ${count(tried.data.losers)} lose, ${count(tried.data.unchanged)} stay the same.`)}</Text>
          <Wide><Text size="sm" fw={600}>{t(`Prawdziwe przypadki (${count(tried.data.touched)} razem)`, `Real cases (${count(tried.data.touched)} in all)`)}</Text><table className="sheet"><thead><tr><th scope="col">{t('Uczestnik', 'Member')}</th><th scope="col">{t('Dokument lub okres', 'Document or period')}</th><th scope="col">{t('Liczy się', 'Counts')}</th><th scope="col">{t('Daje', 'Gives')}</th></tr></thead><tbody>{tried.data.samples.map((item, index) => <tr key={index}><td>{item.member}</td><td>{item.document ?? day(item.window_start)}</td><td>{item.measured}</td><td>{inUnit(item.amount, item.unit, program.units, true)}</td></tr>)}</tbody></table></Wide>
          {tried.data.members.length > 0 ? <details><summary>{t('Komu najwięcej', 'Who most')}</summary><table className="sheet"><tbody>{tried.data.members.map((item) => <tr key={item.member}><td>{item.member}</td><td>{inUnit(item.before, item.unit, program.units)}</td><td>{inUnit(item.after, item.unit, program.units)}</td></tr>)}</tbody></table></details> : null}
        </Stack>
      ) : <Bones rows={8} />}
    </Card>
  );
}

const Problems = ({ error }: { error: unknown }) => <Alert variant="outline" color="yellow" title={t('Ta zasada jeszcze nie jest pełna', 'This rule is not complete yet')}>{error instanceof PremiaProblem && error.places.length > 0 ? <ul>{error.places.map((place) => <li key={`${place.pointer}${place.message}`}><code>{place.pointer}</code> {place.message}</li>)}</ul> : whatWentWrong(error)}</Alert>;

/** A day from which it holds, and its clause; a change of the past becomes a proposal with its preview. */
function Publish({ draft, fresh, close }: { draft: Draft; fresh: boolean; close: () => void }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [from, setFrom] = useState(fresh ? String(draft['from'] ?? '') : new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  const [clause, setClause] = useState<string | null>((draft['clause'] as string | undefined) ?? null);
  const [reason, setReason] = useState('');
  const [past, setPast] = useState(false);
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) });
  const clauses = ((file.data?.['terms'] ?? []) as { clause: string }[]).map((item) => item.clause);
  const whole = (): Record<string, unknown> => ({ ...file.data, mechanics: [...(file.data?.['mechanics'] ?? []) as Draft[], { ...draft, from, ...(clause === null ? {} : { clause }) }] });
  const replaced = (): Record<string, unknown> => ({ ...file.data, mechanics: [...((file.data?.['mechanics'] ?? []) as Draft[]).filter((item) => item.key !== draft.key || String(item['from']) < from), { ...draft, from, ...(clause === null ? {} : { clause }) }] });
  const publish = useMutation({ mutationFn: () => api.applyProgram({ body: whole() }), onSuccess: async () => { told(t('Opublikowana.', 'Published.')); await client.invalidateQueries(); go('/mechanics'); }, onError: (error) => { if (codeOf(error) === 'recalculation_needed') setPast(true); else failed(error); } });
  const propose = useMutation({ mutationFn: () => api.proposeRecalculation({ params: { program: program.key }, body: { reason, file: replaced() } }), onSuccess: async () => { told(t('Zaproponowana. Druga osoba zobaczy skutki i zdecyduje.', 'Proposed. A second person sees the consequence and decides.')); await client.invalidateQueries(); go('/approvals'); }, onError: (error) => failed(error) });
  return (
    <Confirm open close={close} title={t('Opublikuj zasadę', 'Publish the rule')} word={past ? t('Zaproponuj przeliczenie', 'Propose a recalculation') : t('Opublikuj', 'Publish')} act={() => (past ? propose.mutate() : publish.mutate())} busy={publish.isPending || propose.isPending || file.isPending}>
      <label className="field">{t('Obowiązuje od', 'In force from')}<input type="date" value={from} onChange={(event) => { setFrom(event.target.value); setPast(false); }} /></label>
      <Select label={t('Punkt regulaminu', 'Clause of the terms')} data={clauses} value={clause} onChange={setClause} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} />
      <Text size="sm" c="dimmed">{t('Nowa wersja wchodzi od początku swojego okresu (dnia, miesiąca, kwartału), żeby żaden okres nie miał dwóch zasad.', 'A new version begins with its window (day, month, quarter), so that no window has two rules.')}</Text>
      {past ? <><Alert variant="outline" color="yellow">{t('Ta zmiana dotyczy zapisanej już sprzedaży. Można ją wprowadzić jako przeliczenie: z podglądem skutków i zgodą drugiej osoby.', 'This change touches recorded sales. It can be made as a recalculation: with a preview of what moves and a second person’s consent.')}</Alert><label className="field">{t('Powód przeliczenia', 'Reason for the recalculation')}<textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} /></label></> : null}
    </Confirm>
  );
}
