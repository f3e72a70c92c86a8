export * from './roles.ts';
export * from './identity.ts';
export * from './sign-in.ts';
export * from './common-passwords.ts';
export * from './people.ts';
export * from './look.ts';
export * from './routes.ts';
