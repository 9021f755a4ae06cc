/** Text of "who can use this key" and "why was this denied". @module */

export const accessText = {
  who: 'Who can use this key',
  whoHint:
    'Every user and role of this account, with the statement or grant that gives it each permission now.',
  principal: 'Principal',
  actions: 'Permissions',
  by: 'Given by',
  failed: 'The permissions could not be read',
  more: 'Load more principals',
  empty: 'No principal of this account can use the key.',
  named: 'Also named by the key policy or a grant',
  namedHint:
    'What these may do depends on more than Trent knows: a session, a service, another account.',
  bounded: 'limited by a permissions boundary',
  filter: 'Find a principal or a permission',
  policies: {
    identity: 'identity policy',
    resource: 'key policy',
    boundary: 'permissions boundary',
    session: 'session policy',
    grant: 'grant',
    'service-control': 'service control policy',
    'resource-control': 'resource control policy',
  },
  policyName: (name: string, source: string | undefined): string =>
    source === undefined ? `the ${name}` : `the ${name} (${source})`,
  reasons: {
    grant: (id: string): string => `the grant ${id} allows it`,
    nothing: (policy: string): string => `nothing in ${policy} allows it`,
    root: 'the root user has every permission in its account',
    statement: (label: string, policy: string, effect: string): string =>
      `statement “${label}” of ${policy} ${effect} it`,
  },
  edits: {
    add: (policy: string): string => `Add a statement to ${policy}:`,
    replace: (label: string, policy: string): string =>
      `Replace statement “${label}” of ${policy} with:`,
    remove: (label: string, policy: string): string => `Remove statement “${label}” of ${policy}.`,
    revoke: (id: string): string => `Revoke the grant ${id}.`,
    grant: (principal: string, operations: string): string =>
      `Create a grant for ${principal}: ${operations}.`,
  },
  why: 'Why was this denied?',
  whyHint: 'Paste the request id of a call, or its whole error message.',
  input: 'Request id or error message',
  explain: 'Explain',
  notFound: 'The call was not found',
  noOperation:
    'There is no request id in this text, such as 1b6e4c1a-…, and no error message that names an operation.',
  noRecord: (operation: string): string =>
    `None of the latest records of ${operation} in this account and Region has this error message.`,
  whyFailed: 'The call could not be explained',
  call: 'The call',
  caller: 'Caller',
  at: 'Time',
  event: 'Operation',
  error: 'Error',
  decided: 'What decided it then',
  now: 'If the call came now',
  allowed: 'It would be allowed',
  denied: 'It would be denied',
  unasked: 'It cannot be asked again',
  change: 'The smallest change that would turn it',
  noChange: 'No change of a policy would turn it.',
  alternatives: 'Other ways',
  soon: 'A call can be explained some seconds after it was made.',
  effects: { allow: 'allows', 'explicit-deny': 'denies', 'implicit-deny': 'does not allow' },
} as const
