/** Callers that keep changing and encrypting until their server dies, and remember what was answered. @module */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  EncryptCommand,
  type KMSClient,
  KMSServiceException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import type { Seeded } from './seeded.ts'

/** A call that was answered, by success or by refusal. */
export interface Acknowledged {
  readonly requestId: string
  readonly operation: string
  readonly errorName?: string
}

export interface Sealed {
  readonly keyId: string
  readonly ciphertext: Uint8Array
  readonly plaintext: string
  readonly context: Record<string, string>
}

/** All that was answered so far, over all rounds. */
export interface Memory {
  readonly calls: Acknowledged[]
  readonly keyIds: string[]
  readonly sealed: Sealed[]
  /** Answers that say that the server failed: there must be none. */
  readonly failures: string[]
}

export function emptyMemory(): Memory {
  return { calls: [], keyIds: [], sealed: [], failures: [] }
}

interface Answered {
  readonly $metadata: { readonly requestId?: string | undefined }
}

/**
 * Runs one call and remembers its answer.
 * @returns the output; undefined when it was refused
 * @throws when no answer came: what became of the call is not known
 */
export async function remembered<T extends Answered>(
  operation: string,
  call: Promise<T>,
  { calls, failures }: Memory,
): Promise<T | undefined> {
  try {
    const output = await call
    calls.push({ operation, requestId: output.$metadata.requestId ?? '' })
    return output
  } catch (error) {
    if (!(error instanceof KMSServiceException)) throw error
    const { httpStatusCode, requestId } = error.$metadata
    if (httpStatusCode === undefined || requestId === undefined) throw error
    calls.push({ operation, requestId, errorName: error.name })
    if (httpStatusCode >= 500) failures.push(`${operation}: ${error.name}: ${error.message}`)
    return undefined
  }
}

interface Caller {
  readonly client: KMSClient
  readonly random: Seeded
  readonly memory: Memory
  /** Names are the caller's own, so that nobody else's call decides about them. */
  readonly name: string
  readonly keyIds: string[]
  readonly aliases: string[]
  readonly tagged: [keyId: string, tagKey: string][]
  made: number
}

/** One caller after the other call; resolves when the server no longer answers. */
export async function callUntilDead(
  client: KMSClient,
  name: string,
  random: Seeded,
  memory: Memory,
  onAnswer: () => void,
): Promise<void> {
  const caller: Caller = {
    client,
    random,
    memory,
    name,
    keyIds: [],
    aliases: [],
    tagged: [],
    made: 0,
  }
  try {
    for (;;) {
      const act = random.oneOf(acts) ?? createKey
      await act(caller)
      onAnswer()
    }
  } catch (error) {
    if (error instanceof KMSServiceException || error instanceof TypeError) throw error
    // The connection broke: the server is dead.
  }
}

type Act = (caller: Caller) => Promise<void>

const createKey: Act = async ({ client, memory, name, keyIds }) => {
  const command = new CreateKeyCommand({ Description: name })
  const made = await remembered('CreateKey', client.send(command), memory)
  const keyId = made?.KeyMetadata?.KeyId
  if (keyId === undefined) return
  keyIds.push(keyId)
  memory.keyIds.push(keyId)
}

/** An act on one of the caller's keys; it makes one first when it has none. */
function onKey(act: (caller: Caller, keyId: string, made: number) => Promise<void>): Act {
  return async (caller) => {
    if (caller.keyIds.length === 0) await createKey(caller)
    const keyId = caller.random.oneOf(caller.keyIds)
    caller.made += 1
    if (keyId !== undefined) await act(caller, keyId, caller.made)
  }
}

const createAlias = onKey(async ({ client, memory, name, aliases }, TargetKeyId, made) => {
  const AliasName = `alias/${name}/${made}`
  const command = new CreateAliasCommand({ AliasName, TargetKeyId })
  if (await remembered('CreateAlias', client.send(command), memory)) aliases.push(AliasName)
})

const updateAlias = onKey(async ({ client, memory, random, aliases }, TargetKeyId) => {
  const AliasName = random.oneOf(aliases)
  if (AliasName === undefined) return
  const command = new UpdateAliasCommand({ AliasName, TargetKeyId })
  await remembered('UpdateAlias', client.send(command), memory)
})

const deleteAlias: Act = async ({ client, memory, aliases }) => {
  const AliasName = aliases.shift()
  if (AliasName === undefined) return
  const command = new DeleteAliasCommand({ AliasName })
  await remembered('DeleteAlias', client.send(command), memory)
}

const tag = onKey(async ({ client, memory, tagged }, KeyId, made) => {
  const TagKey = `tag-${made % 20}`
  const command = new TagResourceCommand({ KeyId, Tags: [{ TagKey, TagValue: String(made) }] })
  if (await remembered('TagResource', client.send(command), memory)) tagged.push([KeyId, TagKey])
})

const untag: Act = async ({ client, memory, tagged }) => {
  const [KeyId, TagKey] = tagged.pop() ?? []
  if (KeyId === undefined || TagKey === undefined) return
  // The same tag may have been set twice: it is there once.
  for (let index = tagged.length - 1; index >= 0; index -= 1) {
    if (tagged[index]?.[0] === KeyId && tagged[index]?.[1] === TagKey) tagged.splice(index, 1)
  }
  const command = new UntagResourceCommand({ KeyId, TagKeys: [TagKey] })
  await remembered('UntagResource', client.send(command), memory)
}

const describeAnew = onKey(async ({ client, memory }, KeyId, made) => {
  const command = new UpdateKeyDescriptionCommand({ KeyId, Description: `changed ${made}` })
  await remembered('UpdateKeyDescription', client.send(command), memory)
})

const encrypt = onKey(async ({ client, memory, name }, keyId, made) => {
  const plaintext = `${name} ${made}`
  const context = { caller: name }
  const command = new EncryptCommand({
    KeyId: keyId,
    Plaintext: Buffer.from(plaintext),
    EncryptionContext: context,
  })
  const output = await remembered('Encrypt', client.send(command), memory)
  const ciphertext = output?.CiphertextBlob
  if (ciphertext !== undefined) memory.sealed.push({ keyId, ciphertext, plaintext, context })
})

const decrypt: Act = async ({ client, memory, random }) => {
  const sealed = random.oneOf(memory.sealed)
  if (sealed !== undefined) await opens(sealed, client, memory)
}

/** Decrypts; a wrong plaintext counts as a failure of the server. */
export async function opens(sealed: Sealed, client: KMSClient, memory: Memory): Promise<void> {
  const command = new DecryptCommand({
    CiphertextBlob: sealed.ciphertext,
    EncryptionContext: sealed.context,
  })
  const output = await remembered('Decrypt', client.send(command), memory)
  const opened = output?.Plaintext === undefined ? '' : Buffer.from(output.Plaintext).toString()
  if (opened !== sealed.plaintext) memory.failures.push(`${sealed.keyId} opens as \`${opened}\``)
}

/** Refusals: each leaves a record as well. */
const refused: Act = async ({ client, memory }) => {
  const command = new EncryptCommand({
    KeyId: '00000000-0000-0000-0000-000000000000',
    Plaintext: Buffer.from('x'),
  })
  await remembered('Encrypt', client.send(command), memory)
}
const refusedAlias = onKey(async ({ client, memory }, TargetKeyId) => {
  const command = new CreateAliasCommand({ AliasName: 'alias/aws/own', TargetKeyId })
  await remembered('CreateAlias', client.send(command), memory)
})

/** Each as often as it is to be chosen. */
const acts: readonly Act[] = [
  createKey,
  createKey,
  createAlias,
  createAlias,
  updateAlias,
  deleteAlias,
  tag,
  tag,
  untag,
  describeAnew,
  encrypt,
  encrypt,
  encrypt,
  decrypt,
  refused,
  refusedAlias,
]
