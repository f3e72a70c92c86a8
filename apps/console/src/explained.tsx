import { Group, Text } from '@mantine/core';
import { amount, day, inUnit, t } from '@premia/ui';
import { State } from './parts.tsx';
import { useHere } from './place.ts';

type One = { mechanic: string; name: string; version: number; clause: string | null; window: { from: string; to: string; document: string | null } | null; amount: string; unit: string; booked: string; arithmetic: { factors: string[]; result: string } | null; sentences: string[] };

/** What every rule made of it: those that gave first, then those that did not, each with its reason. */
export function Explained({ all }: { all: readonly unknown[] }) {
  const { program } = useHere();
  const list = [...all as One[]].sort((a, b) => Number(a.amount === '0') - Number(b.amount === '0'));
  if (list.length === 0) return <Text c="dimmed">{t('Żadna zasada nie dotyczy tej pozycji.', 'No rule applies here.')}</Text>;
  return (
    <>{list.map((item) => (
      <article key={`${item.mechanic}-${item.version}`} style={{ marginBottom: 16 }}>
        <Group justify="space-between" wrap="nowrap" align="baseline"><Text fw={600}>{item.name}</Text><Text fw={600} className="number">{inUnit(item.amount, item.unit, program.units, true)}</Text></Group>
        {item.sentences.map((sentence) => <Text key={sentence} size="sm">{sentence}</Text>)}
        <Text size="sm" c="dimmed">{[item.arithmetic && item.arithmetic.factors.length > 1 ? `${item.arithmetic.factors.map((factor) => (/^-?\d+(\.\d+)?$/.test(factor) ? amount(factor) : factor)).join(' × ')} = ${amount(item.arithmetic.result)}` : null, item.window && item.window.document === null ? `${day(item.window.from)} – ${day(item.window.to)}` : null, item.clause, `${t('wersja', 'version')} ${item.version}`].filter((part) => part !== null).join(' · ')}</Text>
        {item.booked === item.amount ? null : <State tone="care">{t('zapisano', 'booked')} {inUnit(item.booked, item.unit, program.units, true)}</State>}
      </article>
    ))}</>
  );
}
