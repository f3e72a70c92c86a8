import type { PeopleRouteName, RouteName } from '@premia/contract';
import type { Handler } from './platform/http.ts';
import { deskHandlers, entitlementHandlers, importHandlers, ownHandlers } from './modules/entitlements/index.ts';
import { factHandlers } from './modules/facts/index.ts';
import { identityHandlers } from './modules/identity/index.ts';
import { ledgerHandlers } from './modules/ledger/index.ts';
import { ownRewardHandlers, readOrderWaits, rewardHandlers, rewardsAbout } from './modules/rewards/index.ts';
import { verifyAndKeep } from './verify.ts';
import { memberDeskHandlers, memberHandlers, peopleHandlers, type PeopleOutside } from './modules/members/index.ts';

/** Every route's handler, from the module that answers it. A route without one does not compile. */
export const makeHandlers = (place: { uploads: string; loadUrl: string }, outside: PeopleOutside): Record<RouteName | PeopleRouteName, Handler> => ({
  ...identityHandlers((ids) => outside.signIn.namesOf(ids)), ...memberHandlers, ...factHandlers, ...ledgerHandlers, ...entitlementHandlers, ...importHandlers(place),
  ...deskHandlers(readOrderWaits, (ids) => outside.signIn.namesOf(ids)), ...memberDeskHandlers(outside), ...peopleHandlers(outside), ...ownHandlers(rewardsAbout), ...rewardHandlers((ids) => outside.signIn.namesOf(ids)), ...ownRewardHandlers,
  verify: (context, { params }) => verifyAndKeep(context, params['program'] as string),
});
