/** What callers do with policies, grants, aliases and users. @module */
import { Buffer } from 'node:buffer'
import type { Act } from './acts-of-keys.ts'
import type { Caller, Timed } from './caller.ts'
import type { Subject } from './memory.ts'
import { allowed, policyOf } from './policies.ts'
import { absent } from './registers.ts'

const register = ({ keyId }: Subject, of: string): string => `key ${keyId} ${of}`
const isRefused = ({ answer }: Timed, ...errors: readonly string[]): boolean =>
  answer.kind === 'refused' && errors.includes(answer.error)

const putPolicy =
  (access: 'open' | 'closed'): Act =>
  async (caller, subject) => {
    const id = `policy ${caller.random.below(1_000_000)}`
    const Policy = policyOf(caller.deployment.accountId, access, id)
    const timed = await caller.call('PutKeyPolicy', { KeyId: subject.keyId, Policy })
    caller.change(register(subject, 'policy'), 'write', id, timed)
    caller.change(register(subject, 'access'), 'write', access, timed)
    caller.sawState(subject.keyId, timed)
  }

export const openPolicy = putPolicy('open')
export const closePolicy = putPolicy('closed')

export const getPolicy: Act = async (caller, subject) => {
  const timed = await caller.call('GetKeyPolicy', { KeyId: subject.keyId })
  if (timed.answer.kind !== 'ok') return
  const { Id } = JSON.parse(String(timed.answer.output['Policy'])) as { Id: string }
  caller.saw(register(subject, 'policy'), Id, timed)
}

/** The user may encrypt by the key's policy only. */
export const useByPolicy: Act = async (caller, subject) => {
  const input = { KeyId: subject.keyId, Plaintext: Buffer.from('by policy') }
  const timed = await caller.call('Encrypt', input, { who: 'user' })
  if (isRefused(timed, 'AccessDeniedException')) {
    caller.saw(register(subject, 'access'), 'closed', timed)
    return
  }
  if (timed.answer.kind === 'unavailable' || timed.answer.kind === 'unknown') return
  caller.saw(register(subject, 'access'), 'open', timed)
  caller.use(subject, timed)
}

/** Each grant is for its own encryption context, so each use shows one grant. */
export const createGrant: Act = async (caller, subject) => {
  const name = `grant-${caller.random.below(1_000_000_000)}`
  const GranteePrincipal = `arn:aws:iam::${caller.deployment.accountId}:user/grantee`
  const timed = await caller.call('CreateGrant', {
    KeyId: subject.keyId,
    Name: name,
    GranteePrincipal,
    RetiringPrincipal: GranteePrincipal,
    Operations: ['Encrypt'],
    Constraints: { EncryptionContextEquals: { grant: name } },
  })
  caller.sawState(subject.keyId, timed)
  if (timed.answer.kind === 'refused') return
  caller.change(register(subject, `${name} grant`), 'create', name, timed)
  if (timed.answer.kind !== 'ok') return
  subject.grants.push({ name, grantId: String(timed.answer.output['GrantId']) })
}

export const useByGrant: Act = async (caller, subject) => {
  const grant = caller.random.oneOf(subject.grants.slice(-8))
  if (grant === undefined) return
  const { name } = grant
  const input = {
    KeyId: subject.keyId,
    Plaintext: Buffer.from('by grant'),
    EncryptionContext: { grant: name },
  }
  const timed = await caller.call('Encrypt', input, { who: 'grantee' })
  if (isRefused(timed, 'AccessDeniedException')) {
    caller.saw(register(subject, `${name} grant`), absent, timed)
    return
  }
  if (timed.answer.kind === 'unavailable' || timed.answer.kind === 'unknown') return
  caller.saw(register(subject, `${name} grant`), name, timed)
  caller.use(subject, timed)
}

const endGrant =
  (operation: string, who: 'root' | 'grantee'): Act =>
  async (caller, subject) => {
    const grant = caller.random.oneOf(subject.grants.slice(-8))
    if (grant === undefined) return
    const { name, grantId } = grant
    const timed = await caller.call(operation, { KeyId: subject.keyId, GrantId: grantId }, { who })
    const isGone = isRefused(timed, 'NotFoundException', 'InvalidGrantIdException')
    // A principal that no grant names any more may not retire it.
    const mayNot = who === 'grantee' && isRefused(timed, 'AccessDeniedException')
    if (timed.answer.kind === 'refused' && !isGone && !mayNot) return
    caller.change(register(subject, `${name} grant`), 'delete', undefined, timed)
  }

export const revokeGrant = endGrant('RevokeGrant', 'root')
export const retireGrant = endGrant('RetireGrant', 'grantee')

export const listGrants: Act = async (caller, subject) => {
  const known = [...subject.grants]
  const timed = await caller.call('ListGrants', { KeyId: subject.keyId, Limit: 100 })
  if (timed.answer.kind !== 'ok') return
  const { Grants = [], Truncated } = timed.answer.output as {
    Grants?: readonly { Name: string; GrantId: string }[]
    Truncated?: boolean
  }
  if (Truncated === true) return
  for (const { name } of known) {
    const found = Grants.filter(({ Name }) => Name === name)
    if (found.length > 1) caller.memory.find(`the grant ${name} was created ${found.length} times`)
    caller.saw(register(subject, `${name} grant`), found.length > 0 ? name : absent, timed)
  }
}

/** A few aliases at a time. Each has a name of its own, so that no history becomes long. */
const aliasOf = (caller: Caller): string => {
  const period = Math.floor(caller.memory.entries.length / 2500)
  return `alias/a-${period}-${caller.random.below(3)}`
}

const changeAlias =
  (operation: string, does: string): Act =>
  async (caller, { keyId }) => {
    const alias = aliasOf(caller)
    const target = does === 'delete' ? {} : { TargetKeyId: keyId }
    const timed = await caller.call(operation, { AliasName: alias, ...target })
    const known = ['AlreadyExistsException', 'NotFoundException']
    if (timed.answer.kind === 'refused' && !isRefused(timed, ...known)) return
    const value = does === 'delete' ? undefined : keyId
    caller.change(`alias ${alias} alias`, does, value, timed)
  }

export const createAlias = changeAlias('CreateAlias', 'create')
export const updateAlias = changeAlias('UpdateAlias', 'update')
export const deleteAlias = changeAlias('DeleteAlias', 'delete')

async function readOne(caller: Caller, alias: string): Promise<void> {
  const timed = await caller.call('DescribeKey', { KeyId: alias })
  if (isRefused(timed, 'NotFoundException')) caller.saw(`alias ${alias} alias`, absent, timed)
  if (timed.answer.kind !== 'ok') return
  const { KeyMetadata } = timed.answer.output as { KeyMetadata: { KeyId: string } }
  caller.saw(`alias ${alias} alias`, KeyMetadata.KeyId, timed)
}

export const readAlias: Act = (caller) => readOne(caller, aliasOf(caller))

/** Reads every alias that was ever asked for. */
export async function readAliases(caller: Caller): Promise<void> {
  const names = new Set(
    caller.memory.entries
      .map((entry) => entry.register.split(' '))
      .flatMap(([kind, name = '']) => (kind === 'alias' ? [name] : [])),
  )
  for (const alias of names) await readOne(caller, alias)
}

/** A policy of the grantee in IAM lets it describe the key, and nothing else does. */
export const allowByIam: Act = async (caller, subject) => {
  const resource = `arn:aws:kms:us-west-2:${caller.deployment.accountId}:key/${subject.keyId}`
  const timed = await caller.call('iam:PutUserPolicy', {
    UserName: 'grantee',
    PolicyName: subject.keyId,
    PolicyDocument: allowed('kms:DescribeKey', resource),
  })
  if (timed.answer.kind === 'refused') return
  caller.change(register(subject, 'iam'), 'write', 'there', timed)
}

export const denyByIam: Act = async (caller, subject) => {
  const input = { UserName: 'grantee', PolicyName: subject.keyId }
  const timed = await caller.call('iam:DeleteUserPolicy', input)
  if (isRefused(timed, 'NoSuchEntityException', 'NoSuchEntity')) {
    caller.saw(register(subject, 'iam'), absent, timed)
  } else if (timed.answer.kind !== 'refused') {
    caller.change(register(subject, 'iam'), 'write', absent, timed)
  }
}

export const useByIam: Act = async (caller, subject) => {
  const timed = await caller.call('DescribeKey', { KeyId: subject.keyId }, { who: 'grantee' })
  if (isRefused(timed, 'AccessDeniedException')) {
    caller.saw(register(subject, 'iam'), absent, timed)
  }
  if (timed.answer.kind === 'ok') caller.saw(register(subject, 'iam'), 'there', timed)
}
