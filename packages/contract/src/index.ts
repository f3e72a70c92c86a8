export * from './route.ts';
export * from './routes.ts';
export { peopleRoutes, type PeopleRouteName } from './routes-people.ts';
export { ownRewardRoutes, rewardRoutes } from './routes-rewards.ts';
export * from './openapi.ts';
