import { Alert, Anchor, Badge, Breadcrumbs, Button, Group, Modal, Skeleton, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { codeOf, signInCall, t, whatWentWrong } from '@premia/ui';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'wouter';

/** The head of a screen: where it is, what it is, its one primary action. */
export const Head = ({ title, trail = [], action, quiet }: { title: ReactNode; trail?: readonly [to: string, word: string][]; action?: ReactNode; quiet?: ReactNode }) => (
  <Stack gap={4} mb="md">
    {trail.length > 0 ? <Breadcrumbs separator="›">{trail.map(([to, word]) => <Anchor key={to} component={Link} href={to} size="sm">{word}</Anchor>)}</Breadcrumbs> : null}
    <Group justify="space-between" align="center"><Group gap="sm" align="baseline"><Title order={1}>{title}</Title>{quiet ? <Text c="dimmed" size="sm">{quiet}</Text> : null}</Group>{action ? <Group gap="xs">{action}</Group> : null}</Group>
  </Stack>
);

export const Card = ({ title, children, action, wide }: { title?: ReactNode; children: ReactNode; action?: ReactNode; wide?: boolean }) => <section className={`card${wide ? ' wide' : ''}`}>{title ? <Group justify="space-between" mb="xs"><Title order={2}>{title}</Title>{action}</Group> : null}{children}</section>;
/** A table wider than its place scrolls in it, by keyboard too. */
export const Wide = ({ children, least }: { children: ReactNode; least?: number }) => <div className="scrolled" tabIndex={0} role="group" aria-label={t('Tabela, można przewijać', 'A table; it can be scrolled')}>{least === undefined ? children : <div style={{ minWidth: least }}>{children}</div>}</div>;
export const Bones = ({ rows = 6 }: { rows?: number }) => <Stack gap="xs" role="status" aria-label={t('Wczytuję', 'Loading')}>{Array.from({ length: rows }, (_, n) => <Skeleton key={n} height={28} />)}</Stack>;
export const Failed = ({ error, again }: { error: unknown; again?: () => void }) => <Alert color="red" variant="outline" title={t('Nie udało się', 'That did not work')} role="alert"><Text size="sm" mb={again ? 'xs' : 0}>{whatWentWrong(error)}</Text>{again ? <Button size="compact-sm" variant="default" onClick={again}>{t('Spróbuj jeszcze raz', 'Try again')}</Button> : null}</Alert>;
export const Empty = ({ children, action }: { children: ReactNode; action?: ReactNode }) => <Stack align="flex-start" gap="xs" p="lg" className="empty"><Text>{children}</Text>{action}</Stack>;
/** What a person's role does not cover says so, and who can change it. */
export const Forbidden = () => <Empty>{t('Twoja rola tego nie obejmuje. Właściciel organizacji może ją zmienić.', 'Your role does not cover this. The organization’s owner can change it.')}</Empty>;

const TONES: Record<string, string> = { good: 'var(--positive)', bad: 'var(--negative)', care: 'var(--caution)', plain: 'var(--text-quiet)' };
/** A state is a word in an outline; its colour only helps. */
export const State = ({ tone = 'plain', children }: { tone?: 'good' | 'bad' | 'care' | 'plain'; children: ReactNode }) => <Badge variant="outline" radius="xl" className="state" style={{ '--badge-bd': `1px solid ${TONES[tone]}`, '--badge-color': TONES[tone] } as React.CSSProperties}>{children}</Badge>;
/** Who did something, where it was no person: the installation itself, its jobs, a rule of the program. */
export const whoDid = (by: string): string => ({ installation: t('instalacja', 'the installation'), job: t('praca w tle', 'a background job'), policy: t('zasada programu', 'the program’s policy') })[by] ?? by;
export const told = (text: string): void => { notifications.show({ message: text, withCloseButton: true, closeButtonProps: { 'aria-label': t('Zamknij', 'Close') } }); };

/** Says what failed; where a second factor is asked for, asks for it and does it again. */
export function useGuard(): { failed: (error: unknown, again?: () => void) => void; asking: ReactNode } {
  const [pending, setPending] = useState<{ again: () => void } | null>(null);
  const failed = (error: unknown, again?: () => void): void => {
    if (codeOf(error) === 'second_factor_needed' && again) setPending({ again });
    else notifications.show({ color: 'red', title: t('Nie udało się', 'That did not work'), message: whatWentWrong(error), autoClose: 12_000, withCloseButton: true, closeButtonProps: { 'aria-label': t('Zamknij', 'Close') } });
  };
  return { failed, asking: <SecondFactor pending={pending} close={() => setPending(null)} /> };
}

function SecondFactor({ pending, close }: { pending: { again: () => void } | null; close: () => void }) {
  const [code, setCode] = useState('');
  const [wrong, setWrong] = useState(false);
  const check = async (): Promise<void> => { const { ok } = await signInCall('/two-factor/verify-totp', { code: code.replaceAll(' ', '') }); setCode(''); if (!ok) { setWrong(true); return; } setWrong(false); close(); pending?.again(); };
  return (
    <Modal opened={pending !== null} onClose={close} title={t('Potwierdź kodem z aplikacji', 'Confirm with a code from your app')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <form onSubmit={(event) => { event.preventDefault(); void check(); }}><Stack>
        <label className="field">{t('Sześć cyfr', 'Six digits')}<input data-autofocus inputMode="numeric" autoComplete="one-time-code" required pattern="[0-9 ]{6,7}" value={code} onChange={(event) => setCode(event.target.value)} /></label>
        {wrong ? <Text c="var(--negative)" role="alert">{t('Ten kod nie pasuje albo był już użyty.', 'This code does not fit, or was used already.')}</Text> : null}
        <Button type="submit">{t('Potwierdź', 'Confirm')}</Button>
      </Stack></form>
    </Modal>
  );
}

/** Danger names the thing and the consequence in numbers before it happens. */
export function Confirm({ open, close, title, children, word, act, busy }: { open: boolean; close: () => void; title: string; children: ReactNode; word: string; act: () => void; busy?: boolean }) {
  return <Modal opened={open} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}><Stack>{children}<Group justify="flex-end"><Button variant="default" onClick={close}>{t('Wróć', 'Back')}</Button><Button onClick={act} loading={busy ?? false}>{word}</Button></Group></Stack></Modal>;
}

/** A decision with its reason, which stays in the books: what happens is said first. */
export function Reasoned({ title, word, close, act, busy, children }: { title: string; word: string; close: () => void; act: (reason: string) => void; busy: boolean; children: ReactNode }) {
  const [reason, setReason] = useState('');
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <form onSubmit={(event) => { event.preventDefault(); act(reason.trim()); }}><Stack>
        {children}
        <label className="field">{t('Powód (zostaje w historii)', 'Reason (stays in the history)')}<textarea data-autofocus rows={2} required maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
        <Group justify="flex-end"><Button variant="default" onClick={close}>{t('Wróć', 'Back')}</Button><Button type="submit" disabled={reason.trim() === ''} loading={busy}>{word}</Button></Group>
      </Stack></form>
    </Modal>
  );
}

/** Keeps a half-filled form from being left by accident. */
export function useUnsaved(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return undefined;
    const stay = (event: BeforeUnloadEvent): void => { event.preventDefault(); };
    const ask = (event: MouseEvent): void => { const link = (event.target as Element).closest?.('a[href]'); if (link && !link.getAttribute('href')?.startsWith('#') && !window.confirm(t('Masz niezapisane zmiany. Wyjść bez zapisu?', 'There are unsaved changes. Leave without saving?'))) { event.preventDefault(); event.stopPropagation(); } };
    addEventListener('beforeunload', stay);
    document.addEventListener('click', ask, true);
    return () => { removeEventListener('beforeunload', stay); document.removeEventListener('click', ask, true); };
  }, [dirty]);
}
