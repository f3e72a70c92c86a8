import { z } from 'zod';
import type { MechanicInput } from '@premia/algebra';
import { must, parseRatio, printRatio, ratio, timesRatio } from '@premia/kernel';

/** A short form that makes one value of the algebra. The engine never hears of it. */
export type Preset<T extends z.ZodType = z.ZodType> = { key: string; name: { pl: string; en: string }; form: T; make(form: z.output<T>): Omit<MechanicInput, 'key' | 'from'> };
export const preset = <T extends z.ZodType>(given: Preset<T>): Preset<T> => given;

export const number = z.union([z.number(), z.string().max(40)]);
export const role = z.enum(['buyer', 'seller', 'rep']).default('buyer');
export const unit = z.string().default('points');
export const calendar = z.enum(['day', 'week', 'month', 'quarter', 'year']).default('month');
export const steps = z.array(z.strictObject({ reach: number, units: number })).min(1).max(50);
export const bands = z.array(z.strictObject({ from: number, rate: number })).min(1).max(50);
export const net = { is: 'sum', of: 'net' } as const;
/** A decimal of the form times a whole number, exact. */
export const multiplied = (value: z.output<typeof number>, by: number): string => printRatio(timesRatio(must(parseRatio(String(value)), 'a decimal'), ratio(BigInt(by))));
