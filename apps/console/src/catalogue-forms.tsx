import { Button, Checkbox, Group, Select, Text } from '@mantine/core';
import { t } from '@premia/ui';
import { useState } from 'react';
import { Field, KEY_PATTERN, PartPanel, type Benefit, type Period, type SourceFile, type Tier, type TierSet, type Unit } from './program-file.tsx';

const replaced = <T extends { key: string }>(list: readonly T[] | undefined, item: T): T[] => ((list ?? []).some((one) => one.key === item.key) ? (list ?? []).map((one) => (one.key === item.key ? item : one)) : [...(list ?? []), item]);
const KINDS = (): { value: Benefit['kind']; label: string }[] => [{ value: 'discount', label: t('rabat', 'discount') }, { value: 'service', label: t('usługa', 'service') }, { value: 'access', label: t('dostęp', 'access') }, { value: 'reward', label: t('nagroda', 'reward') }];
export const DOWNGRADES = (): { value: string; label: string }[] => [{ value: 'to_qualified', label: t('do poziomu z ostatniego okresu', 'to what the last period qualifies for') }, { value: 'one_step', label: t('najwyżej o jeden', 'by one step at most') }, { value: 'never', label: t('nigdy', 'never') }];
export const TIER_PERIODS = (): { value: string; label: string }[] => [{ value: 'quarter', label: t('kwartał', 'quarter') }, { value: 'year', label: t('rok', 'year') }, { value: 'program', label: t('cały program', 'the whole program') }];
export const UNKNOWN = (): { value: string; label: string }[] => [{ value: 'enrol', label: t('dołącza jako uczestnik', 'becomes a member') }, { value: 'wait', label: t('sprzedaż czeka na niego', 'the sale waits for them') }, { value: 'quarantine', label: t('wiersz idzie do kwarantanny', 'the row is set aside') }];
export const DOCUMENTS = (): { value: string; label: string }[] => [{ value: 'lines', label: t('pozycja po pozycji', 'line by line') }, { value: 'whole', label: t('w całości', 'whole') }];

/** A ladder: its lines, and what each of them gives. */
export function TierForm({ set, close }: { set: TierSet | null; close: () => void }) {
  const [draft, setDraft] = useState<TierSet>(set ?? { key: '', role: 'buyer', period: 'year', downgrade: 'to_qualified', measure: { is: 'sum', of: 'net' }, tiers: [{ key: 'silver', from: '', name: { pl: '', en: '' }, benefits: [] }] });
  const tier = (index: number, more: Partial<Tier>): void => setDraft({ ...draft, tiers: draft.tiers.map((item, at) => (at === index ? { ...item, ...more } : item)) });
  const benefit = (index: number, place: number, more: Partial<Benefit>): void => tier(index, { benefits: (draft.tiers[index]?.benefits ?? []).map((item, at) => (at === place ? { ...item, ...more } : item)) });
  return (
    <PartPanel title={set ? `${t('Poziomy', 'Tiers')}: ${set.key}` : t('Nowa drabina poziomów', 'A new ladder of tiers')} close={close} dirty={JSON.stringify(draft) !== JSON.stringify(set)} change={(file) => ({ tier_sets: replaced(file.tier_sets, draft) })}>
      {set ? null : <Field word={t('Klucz (litery, cyfry)', 'Key (letters, digits)')} value={draft.key} pattern={KEY_PATTERN} change={(key) => setDraft({ ...draft, key })} />}
      <div className="fields"><Select label={t('Wyniki liczą się przez', 'Results count within a')} data={TIER_PERIODS()} value={draft.period ?? 'year'} allowDeselect={false} onChange={(period) => setDraft({ ...draft, period: period ?? 'year' })} /><Select label={t('Przy przeglądzie spada', 'At a review it falls')} data={DOWNGRADES()} value={draft.downgrade ?? 'to_qualified'} allowDeselect={false} onChange={(downgrade) => setDraft({ ...draft, downgrade: downgrade ?? 'to_qualified' })} /></div>
      {draft.tiers.map((item, index) => (
        <fieldset key={index} className="card"><legend>{t('Poziom', 'Tier')} {index + 1}</legend>
          <div className="fields"><Field word={t('Klucz', 'Key')} value={item.key} pattern={KEY_PATTERN} change={(key) => tier(index, { key })} /><Field word={t('Od (w mierze drabiny)', 'From (in the ladder’s measure)')} value={String(item.from)} pattern="\d+([.,]\d+)?" change={(from) => tier(index, { from: from.replace(',', '.') })} /></div>
          <div className="fields"><Field word={t('Nazwa po polsku', 'Name in Polish')} value={item.name?.pl ?? ''} change={(pl) => tier(index, { name: { pl, en: item.name?.en ?? '' } })} /><Field word={t('Nazwa po angielsku', 'Name in English')} value={item.name?.en ?? ''} change={(en) => tier(index, { name: { pl: item.name?.pl ?? '', en } })} /></div>
          {(item.benefits ?? []).map((given, place) => (
            <div className="fields" key={place}><Select label={t('Co daje', 'What it gives')} data={KINDS()} value={given.kind} allowDeselect={false} onChange={(kind) => benefit(index, place, { kind: (kind ?? 'service') as Benefit['kind'] })} /><Field word={t('Po polsku', 'In Polish')} value={given.pl} change={(pl) => benefit(index, place, { pl })} /><Field word={t('Po angielsku', 'In English')} value={given.en} change={(en) => benefit(index, place, { en })} />
              <Button variant="default" size="compact-sm" style={{ justifySelf: 'start' }} aria-label={t(`Usuń: ${given.pl}`, `Remove: ${given.en}`)} onClick={() => tier(index, { benefits: (item.benefits ?? []).filter((_, at) => at !== place) })}>{t('Usuń', 'Remove')}</Button></div>
          ))}
          <Group mt="xs"><Button variant="default" size="compact-sm" onClick={() => tier(index, { benefits: [...(item.benefits ?? []), { key: `benefit-${crypto.randomUUID().slice(0, 8)}`, kind: 'service', pl: '', en: '' }] })}>{t('Dodaj korzyść', 'Add a benefit')}</Button>{draft.tiers.length > 1 ? <Button variant="default" size="compact-sm" onClick={() => setDraft({ ...draft, tiers: draft.tiers.filter((_, at) => at !== index) })}>{t('Usuń poziom', 'Remove the tier')}</Button> : null}</Group>
        </fieldset>
      ))}
      <Group><Button variant="default" onClick={() => setDraft({ ...draft, tiers: [...draft.tiers, { key: '', from: '', name: { pl: '', en: '' }, benefits: [] }] })}>{t('Dodaj poziom', 'Add a tier')}</Button></Group>
    </PartPanel>
  );
}

/** A unit's names, as grammar asks for them. Its scale stays for ever. */
export function UnitForm({ unit, close }: { unit: Unit | null; close: () => void }) {
  const [draft, setDraft] = useState<Unit>(unit ?? { key: '', scale: 0, names: { pl: { one: '', few: '', many: '', short: '' }, en: { one: '', other: '', short: '' } }, smallest_redemption: 0, grace_days: 30 });
  const pl = (more: Partial<Unit['names']['pl']>): void => setDraft({ ...draft, names: { ...draft.names, pl: { ...draft.names.pl, ...more } } });
  const en = (more: Partial<Unit['names']['en']>): void => setDraft({ ...draft, names: { ...draft.names, en: { ...draft.names.en, ...more } } });
  return (
    <PartPanel title={unit ? `${t('Jednostka', 'Unit')}: ${unit.key}` : t('Nowa jednostka', 'A new unit')} close={close} dirty={JSON.stringify(draft) !== JSON.stringify(unit)} change={(file) => ({ units: replaced(file.units, draft) })}>
      {unit ? null : <div className="fields"><Field word={t('Klucz (litery, cyfry)', 'Key (letters, digits)')} value={draft.key} pattern={KEY_PATTERN} change={(key) => setDraft({ ...draft, key })} /><Select label={t('Miejsc po przecinku (nie zmieni się)', 'Decimal places (cannot change)')} data={['0', '1', '2', '3', '4', '5', '6']} value={String(draft.scale)} allowDeselect={false} onChange={(scale) => setDraft({ ...draft, scale: Number(scale) })} /></div>}
      <div className="fields"><Field word={t('1 … (punkt)', 'Polish: 1 …')} value={draft.names.pl.one} change={(one) => pl({ one })} /><Field word={t('2 … (punkty)', 'Polish: 2 …')} value={draft.names.pl.few} change={(few) => pl({ few })} /><Field word={t('5 … (punktów)', 'Polish: 5 …')} value={draft.names.pl.many} change={(many) => pl({ many })} /><Field word={t('skrót (pkt)', 'Polish, short')} value={draft.names.pl.short} change={(short) => pl({ short })} /></div>
      <div className="fields"><Field word={t('po angielsku: 1 …', 'English: 1 …')} value={draft.names.en.one} change={(one) => en({ one })} /><Field word={t('po angielsku: 2 …', 'English: 2 …')} value={draft.names.en.other} change={(other) => en({ other })} /><Field word={t('po angielsku, skrót', 'English, short')} value={draft.names.en.short} change={(short) => en({ short })} /></div>
      <div className="fields"><Field word={t('Najmniejsze wydanie', 'Smallest redemption')} type="number" min={0} value={String(draft.smallest_redemption ?? 0)} change={(value) => setDraft({ ...draft, smallest_redemption: Number(value) })} /><Field word={t('Dni na wydanie po spóźnionym przyznaniu', 'Days to spend a late grant')} type="number" min={0} value={String(draft.grace_days ?? 30)} change={(value) => setDraft({ ...draft, grace_days: Number(value) })} /></div>
    </PartPanel>
  );
}

/** A named period of a calendar: a season, a campaign. */
export function PeriodForm({ period, calendars, close }: { period: Period | null; calendars: readonly string[]; close: () => void }) {
  const [draft, setDraft] = useState<Period>(period ?? { calendar: calendars[0] ?? '', name: '', starts_on: '', ends_on: '' });
  const [gone, setGone] = useState(false);
  const isSame = (item: Period): boolean => period !== null && item.calendar === period.calendar && item.starts_on === period.starts_on;
  return (
    <PartPanel title={period ? period.name : t('Nowy okres', 'A new period')} close={close} dirty={gone || JSON.stringify(draft) !== JSON.stringify(period)} change={(file) => ({ periods: [...(file.periods ?? []).filter((item) => !isSame(item)), ...(gone ? [] : [draft])].sort((a, b) => (`${a.calendar}${a.starts_on}` < `${b.calendar}${b.starts_on}` ? -1 : 1)) })}>
      <div className="fields"><Field word={t('Kalendarz (klucz)', 'Calendar (key)')} value={draft.calendar} pattern={KEY_PATTERN} change={(calendar) => setDraft({ ...draft, calendar })} /><Field word={t('Nazwa', 'Name')} value={draft.name} change={(name) => setDraft({ ...draft, name })} /></div>
      <div className="fields"><Field word={t('Od', 'From')} type="date" value={draft.starts_on} change={(starts_on) => setDraft({ ...draft, starts_on })} /><Field word={t('Do', 'To')} type="date" value={draft.ends_on} change={(ends_on) => setDraft({ ...draft, ends_on })} /></div>
      {period ? <Checkbox label={t('Usuń ten okres', 'Remove this period')} checked={gone} onChange={(event) => setGone(event.currentTarget.checked)} /> : null}
    </PartPanel>
  );
}

/** Where data come from, and what is done with whom it does not know. */
export function SourceForm({ source, close }: { source: SourceFile | null; close: () => void }) {
  const [draft, setDraft] = useState<SourceFile>(source ?? { key: '', documents: 'lines', unknown: 'wait', codes: {} });
  return (
    <PartPanel title={source ? `${t('Źródło', 'Source')}: ${source.key}` : t('Nowe źródło', 'A new source')} close={close} dirty={JSON.stringify(draft) !== JSON.stringify(source)} change={(file) => ({ sources: replaced(file.sources, { ...(file.sources ?? []).find((item) => item.key === draft.key), ...draft }) })}>
      {source ? null : <Field word={t('Klucz (litery, cyfry)', 'Key (letters, digits)')} value={draft.key} pattern={KEY_PATTERN} change={(key) => setDraft({ ...draft, key })} />}
      <div className="fields"><Field word={t('Nazwa po polsku', 'Name in Polish')} required={false} value={draft.name?.pl ?? ''} change={(pl) => setDraft({ ...draft, name: { pl, en: draft.name?.en ?? pl } })} /><Field word={t('Nazwa po angielsku', 'Name in English')} required={false} value={draft.name?.en ?? ''} change={(en) => setDraft({ ...draft, name: { pl: draft.name?.pl ?? en, en } })} /></div>
      <div className="fields"><Select label={t('Dokumenty przychodzą', 'Documents come')} data={DOCUMENTS()} value={draft.documents ?? 'lines'} allowDeselect={false} onChange={(documents) => setDraft({ ...draft, documents: documents ?? 'lines' })} /><Select label={t('Kogo program nie zna', 'Whom the program does not know')} data={UNKNOWN()} value={draft.unknown ?? 'wait'} allowDeselect={false} onChange={(unknown) => setDraft({ ...draft, unknown: unknown ?? 'wait' })} /></div>
      <Checkbox label={t('Kod „17850.0” to 17850 (arkusz dopisał zero)', 'Code “17850.0” is 17850 (a spreadsheet added the zero)')} checked={draft.codes?.strip_decimal_zero ?? false} onChange={(event) => setDraft({ ...draft, codes: { ...draft.codes, strip_decimal_zero: event.currentTarget.checked } })} />
      <Checkbox label={t('Wielkość liter w kodach nie ma znaczenia', 'Capitals in codes make no difference')} checked={draft.codes?.upper ?? false} onChange={(event) => setDraft({ ...draft, codes: { ...draft.codes, upper: event.currentTarget.checked } })} />
      <Text size="sm" c="dimmed">{t('Zmiana dotyczy plików, które dopiero przyjdą. Kolumny ustawia się przy imporcie.', 'The change holds for files still to come. Columns are set where files are imported.')}</Text>
    </PartPanel>
  );
}
