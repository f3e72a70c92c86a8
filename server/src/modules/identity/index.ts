export * from './identity.ts';
export * from './routes.ts';
