import type { Handler } from '../../platform/http.ts';
import { today } from '../../platform/context.ts';
import { findMember } from './find-member.ts';
import { companiesWithoutConsent } from './employers.ts';
import { findProgram } from './program.ts';
import { listMembers, readMember } from './read-members.ts';
import { listCompanies, saveCompanies, type CompanyDraft } from './save-companies.ts';
import { listSegments } from './segments.ts';

type Page = { limit: number; after?: string; search?: string; state?: string; on?: string; sort?: string };

export const memberHandlers: Record<'listMembers' | 'readMember' | 'listCompanies' | 'saveCompanies' | 'listSegments', Handler> = {
  listMembers: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const { limit, on, ...rest } = query as Page;
    const { rows, next } = await listMembers(tx, program, on ?? today(context, program.zone), { ...rest, limit });
    return { members: rows, next };
  }),
  readMember: (context, { params }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    return readMember(tx, program, (await findMember(tx, program, params['member'] as string)).memberId);
  }),
  listCompanies: (context, { query }) => context.transaction(async (tx) => {
    const { without_consent: key, ...page } = query as Page & { without_consent?: string };
    const program = key === undefined ? null : await findProgram(tx, key);
    const { rows, next } = await listCompanies(tx, program ? { ...page, only: (await companiesWithoutConsent(tx, program, today(context, program.zone))).map((item) => item.company) } : page);
    return { companies: rows, next };
  }),
  saveCompanies: (context, { body }) => context.transaction(async (tx) => ({ saved: await saveCompanies(tx, context.tenantId, (body as { companies: CompanyDraft[] }).companies) })),
  listSegments: (context, { params }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const found = await listSegments(tx, program, today(context, program.zone));
    return { segments: found.map((segment) => ({ key: segment.key, rule: segment.rule, members: Number(segment.members) })) };
  }),
};
