import { useQuery } from '@tanstack/react-query';
import { api, inUnit, money, said, t, useLanguage } from '@premia/ui';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { putIn } from './basket.ts';
import { Failed, Loading } from './faces.tsx';
import { useHere } from './place.ts';
import { Distance, Heart, RewardsHead, priceOf, type Offer } from './rewards.tsx';

const WINDOWS: Record<string, () => string> = { day: () => t('dziennie', 'a day'), week: () => t('tygodniowo', 'a week'), month: () => t('miesięcznie', 'a month'), quarter: () => t('kwartalnie', 'a quarter'), year: () => t('rocznie', 'a year'), program: () => t('w programie', 'in the program') };
const HOW: Record<string, () => string> = {
  goods: () => t('Wyślemy pod adres, który podasz.', 'We send it to the address you give.'), voucher: () => t('Kod zobaczysz od razu w zamówieniach.', 'You see the code in your orders at once.'), code: () => t('Kod zobaczysz od razu w zamówieniach.', 'You see the code in your orders at once.'), prepaid: () => t('Zasili kartę wydaną Ci przez organizatora.', 'It goes to the card that the organizer issued to you.'), transfer: () => t('Pieniądze trafią na Twoje konto.', 'The money goes to your account.'),
  event: () => t('Organizator przekaże szczegóły.', 'The organizer passes on the details.'), training: () => t('Organizator przekaże termin.', 'The organizer passes on the date.'), support: () => t('Organizator umówi termin.', 'The organizer arranges a date.'), charity: () => t('Przekażemy w Twoim imieniu.', 'We pass it on in your name.'),
};

/** One reward: what it is, what it takes, how it comes, and into the basket with it. */
export function Reward({ reward: key }: { reward: string }) {
  const { program } = useHere();
  const language = useLanguage();
  const found = useQuery({ queryKey: ['catalogue', program.key, language, 'one', key], queryFn: async () => (await api.myCatalogue({ params: { program: program.key }, query: { reward: key } })).rewards[0] ?? null });
  return (
    <>
      <p><Link href="/rewards">‹ {t('Katalog', 'Catalogue')}</Link></p>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : found.data === null ? <><RewardsHead title={t('Nagroda', 'Reward')} here="other" /><p className="notice">{t('Tej nagrody nie ma teraz w Twoim katalogu.', 'This reward is not in your catalogue now.')}</p></> : <Detail reward={found.data} />}
    </>
  );
}

function Detail({ reward }: { reward: Offer }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const open = reward.least !== null;
  const [sum, setSum] = useState('');
  const [pieces, setPieces] = useState(1);
  const cents = /^\d{1,7}([.,]\d{1,2})?$/.test(sum.trim()) ? sum.trim().replace(',', '.') : null;
  const add = (): void => { putIn(program.key, { reward: reward.key, name: reward.name, quantity: open ? 1 : pieces, amount: open ? cents : null }); go('/rewards/basket'); };
  return (
    <>
      <RewardsHead title={said(reward.name)} here="other" />
      <section className="card">
        {reward.picture ? <img className="picture" src={reward.picture} alt="" width="640" height="480" /> : null}
        <p className="line"><strong className="figures large">{priceOf(reward, program.units)}{Number(reward.co_pay) > 0 ? ` + ${money(reward.co_pay, program.currency)}` : ''}</strong><Heart reward={reward} /></p>
        <p><Distance reward={reward} /></p>
        <p>{said(reward.description)}</p>
        <p className="quiet">{HOW[reward.kind]?.()}{reward.limit ? ` ${t('Najwyżej', 'At most')} ${reward.limit.count} ${WINDOWS[reward.limit.window]?.() ?? ''}.` : ''}{open ? ` ${t('Przelicznik:', 'Rate:')} ${inUnit(reward.price, reward.unit, program.units)} = ${money(reward.worth, program.currency)}.` : ''}</p>
        <form className="ask" onSubmit={(event) => { event.preventDefault(); add(); }}>
          {open ? <label>{t('Kwota', 'Amount')} ({money(reward.least ?? '0', program.currency)} – {money(reward.most ?? '0', program.currency)})<input inputMode="decimal" required value={sum} onChange={(event) => setSum(event.target.value)} aria-invalid={sum !== '' && cents === null} /></label>
            : <label>{t('Sztuk', 'Pieces')}<input type="number" min={1} max={50} value={pieces} onChange={(event) => setPieces(Number(event.target.value))} /></label>}
          <button className="button wide" type="submit" disabled={reward.free === 0 || (open && cents === null)}>{t('Do koszyka', 'Add to basket')}</button>
        </form>
      </section>
    </>
  );
}
