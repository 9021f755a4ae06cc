/** Callers, keys and policies that the tests of authorization share. @module */
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import type { AuthorizationRequest, Policies } from '../../src/policy/decision.ts'
import type { Caller } from '../../src/model/caller.ts'
import type { Context } from '../../src/policy/context-values.ts'

export const own = '111111111111'
export const other = '222222222222'
export const keyArn = `arn:aws:kms:us-west-2:${own}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
export const otherKeyArn = `arn:aws:kms:us-west-2:${own}:key/ffffabcd-12ab-34cd-56ef-1234567890ab`

export const rootArn = (accountId: string): string => `arn:aws:iam::${accountId}:root`
export const root = (accountId = own): Caller => ({
  kind: 'root',
  accountId,
  arn: rootArn(accountId),
  uniqueId: accountId,
})
export const user = (name: string, accountId = own): Caller => ({
  kind: 'user',
  accountId,
  arn: `arn:aws:iam::${accountId}:user/${name}`,
  uniqueId: `AIDA${name.toUpperCase()}${accountId}`,
  userName: name,
})
export const roleArn = (name: string, accountId = own): string =>
  `arn:aws:iam::${accountId}:role/${name}`
export const session = (role: string, name: string, accountId = own): Caller => ({
  kind: 'assumed-role',
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`,
  uniqueId: `AROA${role.toUpperCase()}${accountId}:${name}`,
})

/** The unique ids of all callers above that are not root, as a key policy would have recorded them. */
export function uniqueIdsOf(callers: readonly Caller[]): Readonly<Record<string, string>> {
  const entries = callers.flatMap((caller): [string, string][] => {
    if (caller.kind === 'root') return []
    const itself: [string, string] = [caller.arn, caller.uniqueId]
    if (caller.kind === 'user') return [itself]
    const [, role = ''] = caller.arn.split('/')
    const [roleId = ''] = caller.uniqueId.split(':')
    return [itself, [roleArn(role, caller.accountId), roleId]]
  })
  return Object.fromEntries(entries)
}

export function contextOf(
  entries: Readonly<Record<string, string | readonly string[]>> = {},
): Context {
  return new Map(
    Object.entries(entries).map(([key, value]) => [
      key.toLowerCase(),
      typeof value === 'string' ? [value] : value,
    ]),
  )
}

export const keyPolicy = (...statements: readonly unknown[]): CompiledPolicy =>
  compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'key')
export const identityPolicy = (...statements: readonly unknown[]): CompiledPolicy =>
  compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity')

export const delegating = keyPolicy({
  Sid: 'delegate',
  Effect: 'Allow',
  Principal: { AWS: rootArn(own) },
  Action: 'kms:*',
  Resource: '*',
})
export const allowsAll = identityPolicy({
  Sid: 'all',
  Effect: 'Allow',
  Action: 'kms:*',
  Resource: '*',
})
export const allowsNothing = identityPolicy({
  Effect: 'Allow',
  Action: 'iam:GetUser',
  Resource: '*',
})
export const deniesAll = identityPolicy({
  Sid: 'none',
  Effect: 'Deny',
  Action: 'kms:*',
  Resource: '*',
})

export const ask = (
  caller: Caller,
  action = 'kms:Encrypt',
  context: Context = contextOf(),
  arn = keyArn,
): AuthorizationRequest => ({ caller, action, resource: { arn, accountId: own }, context })

export const onKey = (resource: CompiledPolicy, more: Partial<Policies> = {}): Policies => ({
  resource,
  identityOnly: false,
  identity: [],
  ...more,
})
