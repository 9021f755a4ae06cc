/** What the tests of multi-Region keys ask of a server that serves several Regions. @module */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  ReplicateKeyCommand,
  type CreateKeyCommandInput,
  type KeyMetadata,
  type KMSClient,
  type ReplicateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'

/** The tests take no longer than this, whatever machine they run on. */
const patienceMs = 60_000

export function arnIn(region: string, keyId: string): string {
  return `arn:aws:kms:${region}:${accountId}:key/${keyId}`
}

/** `MultiRegionConfiguration` of a key. @param replicas Regions in their order */
export function config(
  type: 'PRIMARY' | 'REPLICA',
  keyId: string,
  primary: string,
  replicas: readonly string[],
): object {
  return {
    MultiRegionKeyType: type,
    PrimaryKey: { Arn: arnIn(primary, keyId), Region: primary },
    ReplicaKeys: replicas.map((Region) => ({ Arn: arnIn(Region, keyId), Region })),
  }
}

export async function describe(kms: KMSClient, KeyId: string): Promise<KeyMetadata> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  return KeyMetadata ?? assert.fail('nothing is described')
}

/** Waits until the key is no longer Creating or Updating. Answers how long that took, in milliseconds. */
export async function settled(kms: KMSClient, KeyId: string): Promise<number> {
  const from = performance.now()
  for (;;) {
    const { KeyState } = await describe(kms, KeyId)
    const took = performance.now() - from
    if (KeyState !== 'Creating' && KeyState !== 'Updating') return took
    assert(took < patienceMs, `the key stays ${KeyState}`)
    await sleep(20)
  }
}

export async function makePrimary(
  kms: KMSClient,
  input: CreateKeyCommandInput = {},
): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true, ...input }))
  return KeyMetadata?.KeyId ?? assert.fail('no key was made')
}

/** Makes a replica, and waits for it in its own Region. */
export async function replicate(
  from: KMSClient,
  to: KMSClient,
  input: ReplicateKeyCommandInput,
): Promise<void> {
  await from.send(new ReplicateKeyCommand(input))
  await settled(to, input.KeyId ?? '')
}
