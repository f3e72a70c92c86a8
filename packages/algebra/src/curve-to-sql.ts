import { minusRatio, plusRatio, ratio, timesRatio, type Ratio, type Rounding } from '@premia/kernel';
import type { Curve } from './mechanic.ts';
import { atLeastRatio, commonDenominator, literal, whole, type SqlRatio } from './sql-text.ts';

export type CurveInput = {
  /** What is compared: the measure, or the measure against its base. */
  x: SqlRatio;
  /** Thresholds times this are in the unit of x: 1 for attainment, 100 for złoty measured in grosze. */
  xScale: bigint;
  /** What the rate of a retrospective band multiplies, and its scale. */
  times: SqlRatio;
  timesScale: bigint;
  /** What one whole x is worth in the measure: the base when x is a ratio to it, else null. */
  base: SqlRatio | null;
  measureScale: bigint;
  /** Smallest units in one whole unit of the award. */
  unitScale: bigint;
  rounding: Rounding;
};

/** The curve as SQL: a fraction of smallest units, before the one rounding. NULL wherever x is NULL. */
export function curveToSql(curve: Curve, input: CurveInput): SqlRatio {
  const { x, unitScale } = input;
  const scaled = (threshold: Ratio): Ratio => timesRatio(threshold, ratio(input.xScale));
  const minor = (units: Ratio): Ratio => timesRatio(units, ratio(unitScale));
  switch (curve.is) {
    case 'per': {
      // “k for every full n”: the rounding decides how many n are full, then each is worth exactly k.
      const every = scaled(curve.every);
      const units = minor(curve.units);
      return {
        n: `(platform.round_ratio(${x.n} * ${whole(every.d)}, ${x.d} * ${whole(every.n)}, ${literal(input.rounding)}) * ${whole(units.n)})`,
        d: whole(units.d),
      };
    }
    case 'steps': {
      const units = curve.steps.map((step) => minor(step.units));
      const d = commonDenominator(units);
      const cases = curve.steps.map((step, index) => {
        const value = units[index] as Ratio;
        return `WHEN ${atLeastRatio(x, scaled(step.reach))} THEN ${whole((value.n * d) / value.d)}`;
      }).toReversed();
      return { n: `(CASE WHEN ${x.n} IS NULL OR ${x.d} IS NULL THEN NULL ${cases.join(' ')} ELSE 0 END)`, d: whole(d) };
    }
    case 'bands': return curve.mode === 'retrospective' ? retrospective(curve, input, scaled) : marginal(curve, input, scaled);
    case 'linear': return linear(curve, input, scaled, minor);
    case 'rank': throw new Error('a rank is computed over the pool, not through a curve');
  }
}

type Bands = Extract<Curve, { is: 'bands' }>;

/** The rate of the reached band applies from the first złoty. */
function retrospective(curve: Bands, input: CurveInput, scaled: (value: Ratio) => Ratio): SqlRatio {
  const rates = curve.bands.map((band) => timesRatio(band.rate, ratio(input.unitScale, input.timesScale)));
  const d = commonDenominator(rates);
  const cases = curve.bands.map((band, index) => {
    const rate = rates[index] as Ratio;
    return `WHEN ${atLeastRatio(input.x, scaled(band.from))} THEN ${whole((rate.n * d) / rate.d)}`;
  }).toReversed();
  return {
    n: `(CASE WHEN ${input.x.n} IS NULL OR ${input.x.d} IS NULL THEN NULL ${cases.join(' ')} ELSE 0 END * ${input.times.n})`,
    d: `(${whole(d)} * ${input.times.d})`,
  };
}

/** Each stretch at its own rate. Odd: a document of −500 takes back what one of 500 gives. */
function marginal(curve: Bands, input: CurveInput, scaled: (value: Ratio) => Ratio): SqlRatio {
  const edges = curve.bands.map((band) => scaled(band.from));
  const edgeD = commonDenominator(edges);
  // x measures money (rate per złoty) or attainment (rate per złoty of the base).
  const perX = input.base ? ratio(input.unitScale, input.measureScale) : ratio(input.unitScale, input.xScale);
  const rates = curve.bands.map((band) => timesRatio(band.rate, perX));
  const rateD = commonDenominator(rates);
  const size = `abs(${input.x.n}) * ${whole(edgeD)}`;
  const parts = curve.bands.map((_, index) => {
    const low = edges[index] as Ratio;
    const high = edges[index + 1];
    const rate = rates[index] as Ratio;
    const at = (edge: Ratio): string => `${whole((edge.n * edgeD) / edge.d)} * ${input.x.d}`;
    const reached = high ? `LEAST(${size}, ${at(high)})` : size;
    return `${whole((rate.n * rateD) / rate.d)} * GREATEST(${reached} - ${at(low)}, 0)`;
  });
  const base = input.base ?? { n: '1::numeric', d: '1::numeric' };
  // LEAST and GREATEST skip NULL: without this guard a missing measure would earn.
  return {
    n: `(CASE WHEN ${input.x.n} IS NULL OR ${input.x.d} IS NULL THEN NULL ELSE sign(${input.x.n}) * (${parts.join(' + ')}) * ${base.n} END)`,
    d: `(${whole(edgeD * rateD)} * ${input.x.d} * ${base.d})`,
  };
}

/** Straight between the points: on each stretch y = a·x + b with exact a and b; 0 before the first, flat after the last. */
function linear(curve: Extract<Curve, { is: 'linear' }>, input: CurveInput, scaled: (value: Ratio) => Ratio, minor: (value: Ratio) => Ratio): SqlRatio {
  const points = curve.points.map((point) => ({ x: scaled(point.x), y: minor(point.units) }));
  const lines = points.map((point, index) => {
    const next = points[index + 1];
    if (!next) return { from: point.x, a: ratio(0n), b: point.y };
    const run = minusRatio(next.x, point.x);
    const a = timesRatio(minusRatio(next.y, point.y), ratio(run.d, run.n));
    return { from: point.x, a, b: plusRatio(point.y, timesRatio(ratio(-a.n, a.d), point.x)) };
  });
  const d = commonDenominator(lines.flatMap((line) => [line.a, line.b]));
  const cases = lines.map(({ from, a, b }) => `WHEN ${atLeastRatio(input.x, from)} THEN ${whole((a.n * d) / a.d)} * ${input.x.n} + ${whole((b.n * d) / b.d)} * ${input.x.d}`).toReversed();
  return { n: `(CASE WHEN ${input.x.n} IS NULL OR ${input.x.d} IS NULL THEN NULL ${cases.join(' ')} ELSE 0 END)`, d: `(${whole(d)} * ${input.x.d})` };
}
