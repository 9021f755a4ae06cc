/** Text of the role switcher. @module */

export const switchText = {
  failed: 'The role could not be assumed',
  role: 'Role',
  roleHint: 'Name with its path, such as “ops/admin”, or the ARN',
  session: 'Session name',
  sessionHint: 'Audit records show it',
  missing: 'Enter the name of a role',
} as const
