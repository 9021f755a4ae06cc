/** Policies of the keys of the failure tests. @module */

/**
 * A key policy with an id, which can be read back.
 * @param access `open` lets the user encrypt; `closed` leaves that to policies of IAM
 */
export function policyOf(accountId: string, access: 'open' | 'closed', id: string): string {
  const root = statementOf(`arn:aws:iam::${accountId}:root`, 'kms:*')
  const user = statementOf(`arn:aws:iam::${accountId}:user/user`, 'kms:Encrypt')
  return JSON.stringify({
    Version: '2012-10-17',
    Id: id,
    Statement: access === 'open' ? [root, user] : [root],
  })
}

const statementOf = (principal: string, action: string): object => ({
  Effect: 'Allow',
  Principal: { AWS: principal },
  Action: action,
  Resource: '*',
})

/** A policy of an IAM user or role. */
export function allowed(action: string, resource = '*'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: resource }],
  })
}

/** A trust policy: this user may assume the role. */
export function trusting(userArn: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: userArn }, Action: 'sts:AssumeRole' }],
  })
}
