/** Text of the sign-in. @module */

export const signInText = {
  titleAgain: 'Your session has ended',
  again: 'Sign in again. Nothing that you typed is lost: the page goes on where it was.',
  otherIdentity: (arn: string): string =>
    `This is not ${arn}. Sign in as the same principal, or sign out.`,
  accessKeyId: 'Access key ID',
  secretAccessKey: 'Secret access key',
  sessionToken: 'Session token',
  sessionTokenHint: 'Only for temporary credentials',
  memory:
    'The credentials stay in the memory of this page. They are gone when you close or reload it.',
  submit: 'Sign in',
  assumeAgain: 'Assume the role again',
  missing: 'Enter a value',
  failed: 'The sign-in failed',
} as const

/** Sign-in by an identity provider. */
export const providerText = {
  title: 'Sign in without an access key',
  role: 'Role',
  roleHint: 'ARN of a role that trusts the provider',
  roleHintUsual: 'ARN of a role that trusts the provider; empty for the usual one',
  roleWrong: 'Enter the ARN of a role, such as arn:aws:iam::111122223333:role/people',
  submit: (provider: string): string => `Sign in with ${provider}`,
  keyTitle: 'Or with an access key',
  blocked: 'The browser blocked the window of the identity provider. Allow pop-ups of this page.',
  closed:
    'The window was closed before the sign-in was complete, or the identity provider cuts its pages off from this one.',
  otherState: 'The answer is from another sign-in. Sign in again.',
  otherIssuer: 'The answer is from another identity provider. Sign in again.',
  refused: (code: string): string =>
    `The identity provider refused the sign-in${code === '' ? '' : ` (${code})`}.`,
  noCode: 'The identity provider answered without a code. Sign in again.',
  status: (status: number): string => `The server answered with status ${status}. Try again.`,
} as const

/** The page at the end, in the pop-up. */
export const returnText = {
  done: 'You can close this window.',
  noOpener:
    'The identity provider has cut this window off from the console. Close it, and sign in with an access key.',
} as const
