import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, t, whatWentWrong } from '@premia/ui';
import { useState, type ReactNode } from 'react';
import { useHere } from './place.ts';

export type Address = { name: string; street: string; postcode: string; city: string; phone: string };
export const NO_ADDRESS: Address = { name: '', street: '', postcode: '', city: '', phone: '' };
export const isWhole = (address: Address): boolean => [address.name, address.street, address.postcode, address.city].every((text) => text.trim() !== '');

const Field = ({ label, children }: { label: string; children: ReactNode }) => <label>{label}{children}</label>;

/** Where a parcel goes. Nothing is saved before the order is placed. */
export function AddressForm({ address, change }: { address: Address; change: (address: Address) => void }) {
  const set = (name: keyof Address) => (event: { target: { value: string } }): void => change({ ...address, [name]: event.target.value });
  return (
    <fieldset className="stack"><legend>{t('Dokąd wysłać', 'Where to send it')}</legend>
      <Field label={t('Imię i nazwisko', 'Name')}><input required autoComplete="name" maxLength={200} value={address.name} onChange={set('name')} /></Field>
      <Field label={t('Ulica i numer', 'Street and number')}><input required autoComplete="street-address" maxLength={200} value={address.street} onChange={set('street')} /></Field>
      <Field label={t('Kod pocztowy', 'Postcode')}><input required autoComplete="postal-code" maxLength={10} value={address.postcode} onChange={set('postcode')} /></Field>
      <Field label={t('Miejscowość', 'City')}><input required autoComplete="address-level2" maxLength={100} value={address.city} onChange={set('city')} /></Field>
      <Field label={t('Telefon dla kuriera (nieobowiązkowy)', 'Telephone for the courier (optional)')}><input type="tel" autoComplete="tel" maxLength={30} value={address.phone} onChange={set('phone')} /></Field>
    </fieldset>
  );
}

/** Where money goes. */
export function AccountForm({ done }: { done?: () => void }) {
  const { program, self } = useHere();
  const client = useQueryClient();
  const [iban, setIban] = useState('');
  const [holder, setHolder] = useState(self.name ?? '');
  const save = useMutation({ mutationFn: () => api.saveAccount({ params: { program: program.key }, body: { iban, holder } }), onSuccess: async () => { setIban(''); await client.invalidateQueries(); done?.(); } });
  return (
    <form className="ask" onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
      <Field label={t('Numer konta (26 cyfr albo IBAN)', 'Account number (26 digits, or IBAN)')}><input required inputMode="text" autoComplete="off" maxLength={50} value={iban} onChange={(event) => setIban(event.target.value)} /></Field>
      <Field label={t('Właściciel konta', 'Account holder')}><input required autoComplete="name" maxLength={140} value={holder} onChange={(event) => setHolder(event.target.value)} /></Field>
      {save.isError ? <p role="alert" className="negative">{whatWentWrong(save.error)}</p> : null}
      {save.isSuccess ? <p role="status" className="notice good">{t('Konto zapisane.', 'The account is saved.')}{save.data.recalled > 0 ? ` ${t('Wypłaty zatwierdzone na poprzednie konto zostaną zatwierdzone jeszcze raz.', 'Payouts approved for the account before will be approved again.')}` : ''}</p> : null}
      <p className="quiet small">{t('Numer zapisujemy zaszyfrowany; na ekranach widać tylko ostatnie cztery cyfry.', 'The number is kept encrypted; screens show its last four digits only.')}</p>
      <button className="button second" type="submit" disabled={save.isPending}>{t('Zapisz konto', 'Save the account')}</button>
    </form>
  );
}

const EMPTY = { first_name: '', last_name: '', identifier: '', birth_date: '', street: '', postcode: '', city: '', tax_office: '', resident: true };
/** What the tax office asks, only where a payout needs it. */
export function TaxForm({ done }: { done?: () => void }) {
  const { program, self } = useHere();
  const client = useQueryClient();
  const [first = '', ...rest] = (self.name ?? '').split(' ');
  const [data, setData] = useState({ ...EMPTY, first_name: first, last_name: rest.join(' ') });
  const set = (name: keyof typeof EMPTY) => (event: { target: { value: string } }): void => setData({ ...data, [name]: event.target.value });
  const save = useMutation({ mutationFn: () => api.saveTaxProfile({ params: { program: program.key }, body: { ...data, identifier: data.identifier.replace(/[\s-]/g, '') } }), onSuccess: async () => { setData(EMPTY); await client.invalidateQueries(); done?.(); } });
  return (
    <form className="ask" onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
      <Field label={t('Imię', 'First name')}><input required autoComplete="given-name" maxLength={100} value={data.first_name} onChange={set('first_name')} /></Field>
      <Field label={t('Nazwisko', 'Last name')}><input required autoComplete="family-name" maxLength={100} value={data.last_name} onChange={set('last_name')} /></Field>
      <Field label={t('PESEL albo NIP', 'PESEL or NIP')}><input required inputMode="numeric" autoComplete="off" maxLength={13} value={data.identifier} onChange={set('identifier')} /></Field>
      <Field label={t('Data urodzenia', 'Date of birth')}><input required type="date" autoComplete="bday" min="1900-01-01" value={data.birth_date} onChange={set('birth_date')} /></Field>
      <Field label={t('Ulica i numer', 'Street and number')}><input required autoComplete="street-address" maxLength={200} value={data.street} onChange={set('street')} /></Field>
      <Field label={t('Kod pocztowy', 'Postcode')}><input required autoComplete="postal-code" maxLength={10} value={data.postcode} onChange={set('postcode')} /></Field>
      <Field label={t('Miejscowość', 'City')}><input required autoComplete="address-level2" maxLength={100} value={data.city} onChange={set('city')} /></Field>
      <Field label={t('Urząd skarbowy', 'Tax office')}><input required maxLength={200} value={data.tax_office} onChange={set('tax_office')} /></Field>
      <label className="tick"><input type="checkbox" checked={data.resident} onChange={(event) => setData({ ...data, resident: event.target.checked })} /> <span>{t('Mieszkam w Polsce i tu płacę podatki', 'I live in Poland and pay my taxes here')}</span></label>
      {save.isError ? <p role="alert" className="negative">{whatWentWrong(save.error)}</p> : null}
      <p className="quiet small">{t('Tych danych wymaga urząd skarbowy (PIT-11 lub PIT-8AR). Są zaszyfrowane; każde ich obejrzenie jest zapisywane.', 'The tax office requires these data (PIT-11 or PIT-8AR). They are encrypted; every look at them is recorded.')}</p>
      <button className="button second" type="submit" disabled={save.isPending}>{t('Zapisz dane do podatku', 'Save the data for the tax office')}</button>
    </form>
  );
}
