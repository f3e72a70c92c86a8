import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, inUnit, money, said, t, whatWentWrong, type Client } from '@premia/ui';
import { useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { saveBasket, useBasket } from './basket.ts';
import { Empty, Failed, Loading } from './faces.tsx';
import { AccountForm, AddressForm, NO_ADDRESS, TaxForm, isWhole, type Address } from './payout-forms.tsx';
import { useHere } from './place.ts';
import { RewardsHead } from './rewards.tsx';

type Quote = Awaited<ReturnType<Client['quoteOrder']>>;

/** The basket: what it takes, what the tax is, what is still needed – and one button that orders it all, once. */
export function Basket() {
  const { program, self } = useHere();
  const client = useQueryClient();
  const [, go] = useLocation();
  const basket = useBasket(program.key);
  const [address, setAddress] = useState<Address>({ ...NO_ADDRESS, name: self.name ?? '' });
  const reference = useRef(crypto.randomUUID()); // the same order if the first try was not heard
  const lines = basket.map(({ reward, quantity, amount: sum }) => ({ reward, quantity, amount: sum }));
  const sent = isWhole(address) ? address : null;
  const [payFrom, setPayFrom] = useState<'own' | 'company'>('own');
  const quote = useQuery({ queryKey: ['quote', program.key, JSON.stringify(lines), sent !== null, payFrom], enabled: lines.length > 0, placeholderData: keepPreviousData, retry: false, queryFn: () => api.quoteOrder({ params: { program: program.key }, body: { lines, address: sent, pay_from: payFrom } }) });
  const place = useMutation({
    mutationFn: () => api.placeOrder({ params: { program: program.key }, body: { reference: reference.current, lines, address: sent, pay_from: payFrom } }),
    onSuccess: async (placed) => { saveBasket(program.key, []); reference.current = crypto.randomUUID(); await client.invalidateQueries(); go(`/rewards/orders/${placed.order}`); },
  });
  const take = (index: number): void => saveBasket(program.key, basket.filter((_, at) => at !== index));
  if (basket.length === 0) return <><RewardsHead title={t('Koszyk', 'Basket')} here="other" /><Empty>{t('Koszyk jest pusty.', 'The basket is empty.')}</Empty><p><Link href="/rewards" className="button second">{t('Do katalogu', 'To the catalogue')}</Link></p></>;
  const needs = quote.data?.needs.filter((need) => need !== 'address' || sent === null) ?? [];
  const short = quote.data?.totals.some((total) => total.after.startsWith('-')) ?? false;
  return (
    <>
      <RewardsHead title={t('Koszyk', 'Basket')} here="other" />
      <section className="card" aria-label={t('W koszyku', 'In the basket')}>
        <ul className="plain">{basket.map((line, index) => { const priced = quote.data?.lines.find((item) => item.reward === line.reward); return (
          <li key={`${line.reward}${index}`} className="line"><span><strong>{said(line.name)}</strong><span className="quiet block">{line.amount === null ? `× ${line.quantity}` : money(line.amount, program.currency)}{priced ? ` · ${inUnit(priced.units, priced.unit, program.units)}` : ''}</span></span><button type="button" className="link" aria-label={t(`Usuń: ${said(line.name)}`, `Remove: ${said(line.name)}`)} onClick={() => take(index)}>{t('Usuń', 'Remove')}</button></li>
        ); })}</ul>
      </section>
      {quote.isError ? <Failed error={quote.error} again={() => void quote.refetch()} /> : quote.isPending ? <Loading /> : <Totals quote={quote.data} />}
      {quote.data?.company ? <fieldset className="card stack"><legend>{t('Kto płaci', 'Who pays')}</legend><label className="tick"><input type="radio" name="payer" checked={payFrom === 'own'} onChange={() => setPayFrom('own')} /> <span>{t('Moje punkty', 'My own units')}</span></label><label className="tick"><input type="radio" name="payer" checked={payFrom === 'company'} onChange={() => setPayFrom('company')} /> <span>{t('Punkty firmy', 'The company’s units')} {quote.data.company}</span></label></fieldset> : null}
      {quote.data?.needs.includes('address') || sent !== null ? <section className="card"><AddressForm address={address} change={setAddress} /></section> : null}
      {needs.includes('account') ? <section className="card"><h2>{t('Na jakie konto?', 'To which account?')}</h2><AccountForm /></section> : null}
      {needs.includes('card') ? <p className="notice">{t('Nie masz jeszcze karty przedpłaconej. Organizator ją wyda; do tego czasu wybierz inną nagrodę.', 'You have no prepaid card yet. The organizer will issue one; choose another reward until then.')}</p> : null}
      {needs.includes('tax_profile') ? <section className="card"><h2>{t('Dane do podatku', 'Data for the tax office')}</h2><TaxForm /></section> : null}
      {place.isError ? <p role="alert" className="notice bad">{whatWentWrong(place.error)}</p> : null}
      <button type="button" className="button wide" disabled={place.isPending || !quote.data || needs.length > 0 || short} onClick={() => place.mutate()}>{place.isPending ? t('Zamawiam …', 'Ordering …') : t('Zamawiam', 'Order')}</button>
      {short ? <p className="negative" role="status">{t('Masz za mało jednostek na to zamówienie.', 'You have too few units for this order.')}</p> : <p className="quiet small foot">{t('Punkty zostaną zablokowane. Dopóki nagroda nie jest w drodze, możesz się wycofać.', 'The units will be held. Until the reward is on its way you can take the order back.')}</p>}
    </>
  );
}

function Totals({ quote }: { quote: Quote }) {
  const { program } = useHere();
  const taxed = quote.lines.filter((line) => line.tax && (line.tax.form !== 'NONE' || line.tax.tax !== '0.00'));
  return (
    <section className="card" aria-label={t('Razem', 'In all')}>
      <dl>{quote.totals.map((total) => <div key={total.unit} className="pair"><dt>{t('Razem', 'In all')}</dt><dd className="figures"><strong>{inUnit(total.units, total.unit, program.units)}</strong></dd><dt>{t('Masz', 'You have')}</dt><dd className="figures">{inUnit(total.available, total.unit, program.units)}</dd><dt>{t('Zostanie', 'Left then')}</dt><dd className={`figures ${total.after.startsWith('-') ? 'negative' : ''}`}>{inUnit(total.after, total.unit, program.units)}</dd></div>)}
        {quote.lines.some((line) => Number(line.co_pay) > 0) ? <div className="pair"><dt>{t('Dopłata', 'Your payment')}</dt><dd className="figures">{quote.lines.filter((line) => Number(line.co_pay) > 0).map((line) => `${line.quantity} × ${money(line.co_pay, program.currency)}`).join(', ')}</dd></div> : null}</dl>
      {taxed.map((line) => <p key={line.reward} className="small">{said(line.name)}: <TaxWords line={line} /></p>)}
      {quote.lines.some((line) => line.tax === null) ? <p className="small">{t('Podatek ustali organizator przed wypłatą.', 'The organizer settles the tax before the payout.')}</p> : null}
    </section>
  );
}

/** Which tax, who pays it, and when one hears of it. */
function TaxWords({ line }: { line: Quote['lines'][number] }) {
  const { program } = useHere();
  const { tax } = line;
  if (!tax) return null;
  if (tax.form === 'PIT-11') return <>{t('bez potrącenia; wartość dostaniesz w PIT-11 do końca lutego i rozliczysz w zeznaniu rocznym.', 'nothing is withheld; its value comes in your PIT-11 by the end of February, for your yearly return.')}</>;
  if (tax.form === 'PAYROLL') return <>{t('podatek rozliczy Twój pracodawca z wynagrodzeniem.', 'your employer settles the tax with your pay.')}</>;
  if (tax.bearer === 'GROSS_UP') return <>{t(`podatek ${amount(tax.tax)} płaci organizator.`, `the organizer pays the tax of ${amount(tax.tax)}.`)}</>;
  if (tax.tax === '0.00') return <>{t('bez podatku.', 'free of tax.')}</>;
  return <>{t(`podatek ${money(tax.tax, program.currency)}; dostaniesz ${money(tax.pay, program.currency)}.`, `tax ${money(tax.tax, program.currency)}; you receive ${money(tax.pay, program.currency)}.`)}</>;
}
