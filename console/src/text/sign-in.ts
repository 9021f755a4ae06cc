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
