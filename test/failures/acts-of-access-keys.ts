/** What callers do with access keys: make, use, deactivate and delete them. @module */
import type { Act } from './acts-of-keys.ts'
import type { Caller, Timed } from './caller.ts'
import type { Holder } from './memory.ts'
import { allowed } from './policies.ts'
import { oneAct, oneOf } from './pools.ts'
import { absent } from './registers.ts'

const usesMax = 60
const register = ({ login }: Holder): string => `accesskey ${login.accessKeyId} accesskey`
const ofKey = ({ userName, login }: Holder): object => ({
  UserName: userName,
  AccessKeyId: login.accessKeyId,
})

/** Each key has a user of its own, who may do one thing. */
async function make(caller: Caller): Promise<Holder | undefined> {
  const UserName = `holder-${caller.random.below(1_000_000_000)}`
  const PolicyDocument = allowed('kms:GenerateRandom')
  for (const [operation, input] of [
    ['iam:CreateUser', { UserName }],
    ['iam:PutUserPolicy', { UserName, PolicyName: 'own', PolicyDocument }],
  ] as const) {
    const { answer } = await caller.call(operation, input)
    if (answer.kind !== 'ok') return undefined
  }
  const timed = await caller.call('iam:CreateAccessKey', { UserName })
  if (timed.answer.kind !== 'ok') return undefined
  const { AccessKeyId = '', SecretAccessKey = '' } = Object(
    timed.answer.output['AccessKey'],
  ) as Record<string, string>
  const login = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
  const holder = { userName: UserName, login, uses: 0 }
  caller.change(register(holder), 'create', undefined, timed)
  return holder
}

/** A call that is signed with the key shows whether it is active. */
export async function useAccessKey(caller: Caller, holder: Holder): Promise<void> {
  const timed = await caller.call('GenerateRandom', { NumberOfBytes: 1 }, { who: holder.login })
  const { answer } = timed
  if (answer.kind === 'unavailable' || answer.kind === 'unknown') return
  const isUnknown = answer.kind === 'refused' && answer.error === 'UnrecognizedClientException'
  // Any other refusal is of a caller who was believed.
  caller.saw(register(holder), isUnknown ? 'not active' : 'Active', timed)
}

const isGone = ({ answer }: Timed): boolean =>
  answer.kind === 'refused' && answer.error.startsWith('NoSuchEntity')

const update =
  (Status: 'Active' | 'Inactive') =>
  async (caller: Caller, holder: Holder): Promise<void> => {
    const timed = await caller.call('iam:UpdateAccessKey', { ...ofKey(holder), Status })
    if (timed.answer.kind === 'refused' && !isGone(timed)) return
    caller.change(register(holder), 'set', Status, timed)
  }

async function remove(caller: Caller, holder: Holder): Promise<void> {
  const timed = await caller.call('iam:DeleteAccessKey', ofKey(holder))
  if (timed.answer.kind === 'refused' && !isGone(timed)) return
  caller.change(register(holder), 'delete', undefined, timed)
  // It is used a few times more.
  holder.uses = Math.max(holder.uses, usesMax - 10)
}

export async function listAccessKeys(caller: Caller, holder: Holder): Promise<void> {
  const { userName: UserName, login } = holder
  const timed = await caller.call('iam:ListAccessKeys', { UserName })
  if (timed.answer.kind !== 'ok') return
  const { AccessKeyMetadata = [] } = timed.answer.output as {
    AccessKeyMetadata?: readonly { AccessKeyId: string; Status: string }[]
  }
  const { length } = AccessKeyMetadata
  if (length > 1) caller.memory.find(`one CreateAccessKey of ${UserName} made ${length} keys`)
  const own = AccessKeyMetadata.find(({ AccessKeyId }) => AccessKeyId === login.accessKeyId)
  caller.saw(register(holder), own?.Status ?? absent, timed)
}

const acts = [
  [8, useAccessKey],
  [3, update('Inactive')],
  [3, update('Active')],
  [1, remove],
  [2, listAccessKeys],
] as const

export const accessKeys: Act = async (caller) => {
  const holder = await oneOf(caller, caller.memory.holders, usesMax, () => make(caller))
  if (holder !== undefined) await oneAct(caller, acts, holder)
}

/** Reads every access key once more. */
export async function readAccessKeys(caller: Caller): Promise<void> {
  for (const holder of caller.memory.holders.all) {
    await listAccessKeys(caller, holder)
    await useAccessKey(caller, holder)
  }
}
