import { Button } from '@mantine/core';
import { t } from '@premia/ui';
import { useId, useState } from 'react';
import { Wide } from './parts.tsx';

export type Bar = { label: string; value: number; shown: string; pale?: boolean };

/** Bars from zero with direct labels, titled with what they say; the same as a table behind a switch. */
export function Bars({ title, bars, head }: { title: string; bars: readonly Bar[]; head: readonly [label: string, value: string] }) {
  const [table, setTable] = useState(false);
  const id = useId();
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const [width, height, low] = [Math.max(320, bars.length * 44), 150, 24];
  const step = width / Math.max(1, bars.length);
  return (
    <figure style={{ margin: 0 }} aria-labelledby={id}>
      <figcaption id={id} style={{ marginBottom: 8 }}>{title}</figcaption>
      {table ? (
        <table className="sheet"><thead><tr><th scope="col">{head[0]}</th><th scope="col">{head[1]}</th></tr></thead><tbody>{bars.map((bar) => <tr key={bar.label}><td>{bar.label}</td><td>{bar.shown}</td></tr>)}</tbody></table>
      ) : (
        <Wide least={width}><svg className="chart" style={{ maxWidth: width * 1.35 }} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
          <line x1="0" x2={width} y1={height - low} y2={height - low} />
          {bars.map((bar, index) => {
            const tall = ((height - low - 18) * Math.max(0, bar.value)) / most;
            return <g key={bar.label}><rect className={`bar${bar.pale ? ' pale' : ''}`} x={index * step + step * 0.18} width={step * 0.64} y={height - low - tall} height={tall} rx="2"><title>{`${bar.label}: ${bar.shown}`}</title></rect><text x={index * step + step / 2} y={height - 8} textAnchor="middle">{bar.label}</text>{bars.length <= 13 ? <text x={index * step + step / 2} y={height - low - tall - 5} textAnchor="middle">{short(bar.value)}</text> : null}</g>;
          })}
        </svg></Wide>
      )}
      <Button variant="subtle" size="compact-xs" onClick={() => setTable(!table)}>{table ? t('Pokaż wykres', 'Show the chart') : t('Pokaż tabelę', 'Show the table')}</Button>
    </figure>
  );
}

/** 1 234 567 → „1,2 M”: labels on bars are for comparing; the exact figure is in the table. */
function short(value: number): string {
  const [size, word] = value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, ''];
  return `${(value / size).toFixed(value >= 1e3 && value / size < 10 ? 1 : 0).replace('.', t(',', '.').replace(/[⟦⟧]/g, ''))}${word}`;
}
