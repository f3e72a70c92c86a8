import type { RouteName } from '@premia/contract';
import type { Handler } from './platform/http.ts';
import { entitlementHandlers, importHandlers } from './modules/entitlements/index.ts';
import { factHandlers } from './modules/facts/index.ts';
import { identityHandlers } from './modules/identity/index.ts';
import { ledgerHandlers } from './modules/ledger/index.ts';
import { memberHandlers } from './modules/members/index.ts';

/** Every route's handler, from the module that answers it. A route without one does not compile. */
export const makeHandlers = (place: { uploads: string; loadUrl: string }): Record<RouteName, Handler> => ({
  ...identityHandlers, ...memberHandlers, ...factHandlers, ...ledgerHandlers, ...entitlementHandlers, ...importHandlers(place),
});
