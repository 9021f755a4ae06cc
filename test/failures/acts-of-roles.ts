/** What callers do with roles: make, assume and delete them, and change what they may and who may assume them. @module */
import type { Act } from './acts-of-keys.ts'
import type { Caller, Timed } from './caller.ts'
import type { Role } from './memory.ts'
import { allowed, trusting } from './policies.ts'
import { oneAct, oneOf } from './pools.ts'
import { absent } from './registers.ts'

const usesMax = 60
/** The last sessions are used. */
const sessionsMax = 3
const register = ({ name }: Role, of: 'role' | 'right' | 'trust'): string => `role ${name} ${of}`
const userArn = ({ deployment }: Caller, name: string): string =>
  `arn:aws:iam::${deployment.accountId}:user/${name}`
const isRefused = ({ answer }: Timed, error: string): boolean =>
  answer.kind === 'refused' && answer.error.startsWith(error)

async function make(caller: Caller): Promise<Role | undefined> {
  const name = `role-${caller.random.below(1_000_000_000)}`
  const timed = await caller.call('iam:CreateRole', {
    RoleName: name,
    AssumeRolePolicyDocument: trusting(userArn(caller, 'user')),
  })
  if (timed.answer.kind !== 'ok') return undefined
  const role: Role = { name, sessions: [], isEnding: false, uses: 0 }
  caller.change(register(role, 'role'), 'create', 'there', timed)
  caller.change(register(role, 'trust'), 'write', 'open', timed)
  await allow(caller, role)
  await assume(caller, role)
  return role
}

export async function assume(caller: Caller, role: Role): Promise<void> {
  const RoleArn = `arn:aws:iam::${caller.deployment.accountId}:role/${role.name}`
  const input = { RoleArn, RoleSessionName: 'session' }
  const timed = await caller.call('sts:AssumeRole', input, { who: 'user' })
  if (isRefused(timed, 'AccessDenied') && !role.isEnding) {
    caller.saw(register(role, 'trust'), 'closed', timed)
  }
  if (timed.answer.kind !== 'ok') return
  caller.saw(register(role, 'trust'), 'open', timed)
  caller.saw(register(role, 'role'), 'there', timed)
  const { AccessKeyId, SecretAccessKey, SessionToken } = timed.answer.output[
    'Credentials'
  ] as Readonly<Record<string, string>>
  role.sessions.push({
    accessKeyId: AccessKeyId ?? '',
    secretAccessKey: SecretAccessKey ?? '',
    sessionToken: SessionToken ?? '',
  })
}

/** A session has the right that its role has at that moment, and ends with the role. */
export async function useSession(caller: Caller, role: Role): Promise<void> {
  const who = caller.random.oneOf(role.sessions.slice(-sessionsMax))
  if (who === undefined) return
  const timed = await caller.call('GenerateRandom', { NumberOfBytes: 1 }, { who })
  const { answer } = timed
  if (answer.kind === 'unavailable' || answer.kind === 'unknown') return
  if (isRefused(timed, 'UnrecognizedClient')) {
    caller.saw(register(role, 'role'), absent, timed)
    return
  }
  caller.saw(register(role, 'role'), 'there', timed)
  const isDenied = isRefused(timed, 'AccessDenied')
  if (!role.isEnding || !isDenied) {
    caller.saw(register(role, 'right'), isDenied ? absent : 'there', timed)
  }
}

const ofRole = ({ name }: Role): object => ({ RoleName: name })
const ownPolicy = (role: Role): object => ({ ...ofRole(role), PolicyName: 'own' })

async function allow(caller: Caller, role: Role): Promise<void> {
  const PolicyDocument = allowed('kms:GenerateRandom')
  const timed = await caller.call('iam:PutRolePolicy', { ...ownPolicy(role), PolicyDocument })
  caller.change(register(role, 'right'), 'write', 'there', timed)
}

async function deny(caller: Caller, role: Role): Promise<void> {
  const timed = await caller.call('iam:DeleteRolePolicy', ownPolicy(role))
  if (isRefused(timed, 'NoSuchEntity')) {
    if (!role.isEnding) caller.saw(register(role, 'right'), absent, timed)
  } else caller.change(register(role, 'right'), 'write', absent, timed)
}

const trust =
  (value: 'open' | 'closed') =>
  async (caller: Caller, role: Role): Promise<void> => {
    const PolicyDocument = trusting(userArn(caller, value === 'open' ? 'user' : 'grantee'))
    const input = { ...ofRole(role), PolicyDocument }
    const timed = await caller.call('iam:UpdateAssumeRolePolicy', input)
    caller.change(register(role, 'trust'), 'write', value, timed)
  }

/** A role goes without its policies only. */
async function remove(caller: Caller, role: Role): Promise<void> {
  await deny(caller, role)
  role.isEnding = true
  const timed = await caller.call('iam:DeleteRole', ofRole(role))
  if (timed.answer.kind === 'refused' && !isRefused(timed, 'NoSuchEntity')) return
  caller.change(register(role, 'role'), 'delete', undefined, timed)
  // Its sessions are used a few times more.
  role.uses = Math.max(role.uses, usesMax - 15)
}

const acts = [
  [14, useSession],
  [4, assume],
  [3, allow],
  [3, deny],
  [1, trust('closed')],
  [1, trust('open')],
  [2, remove],
] as const

export const roles: Act = async (caller) => {
  const role = await oneOf(caller, caller.memory.roles, usesMax, () => make(caller))
  if (role !== undefined) await oneAct(caller, acts, role)
}

/** Uses every role once more. */
export async function readRoles(caller: Caller): Promise<void> {
  for (const role of caller.memory.roles.all) {
    await assume(caller, role)
    await useSession(caller, role)
  }
}
