/** What the tests of rotation ask of a server whose clock they move. @module */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  paginateListKeyRotations,
  RotateKeyOnDemandCommand,
  type GetKeyRotationStatusCommandOutput,
  type KMSClient,
  type RotationsListEntry,
} from '@aws-sdk/client-kms'

/** The tests take no longer than this, whatever machine they run on. */
const patienceMs = 600_000

export interface Rotating {
  readonly status: (KeyId: string) => Promise<GetKeyRotationStatusCommandOutput>
  /** All pages. */
  readonly rotations: (
    KeyId: string,
    IncludeKeyMaterial?: 'ALL_KEY_MATERIAL' | 'ROTATIONS_ONLY',
  ) => Promise<readonly RotationsListEntry[]>
  /** Starts a rotation and waits until it is over. */
  readonly rotate: (KeyId: string) => Promise<void>
  readonly rotated: (KeyId: string) => Promise<void>
  readonly seal: (KeyId: string, text: string) => Promise<Uint8Array>
  /** The text, and the id of the material that it was sealed under. */
  readonly opened: (CiphertextBlob: Uint8Array) => Promise<readonly [string, string | undefined]>
  /** The id of the key's current material. */
  readonly currentOf: (KeyId: string) => Promise<string>
}

export function rotating(kms: KMSClient): Rotating {
  const status: Rotating['status'] = (KeyId) => kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  const rotated: Rotating['rotated'] = async (KeyId) => {
    const deadline = Date.now() + patienceMs
    while ((await status(KeyId)).OnDemandRotationStartDate !== undefined) {
      assert(Date.now() < deadline, 'the rotation does not end')
      await sleep(20)
    }
  }
  return {
    status,
    rotated,
    async rotations(KeyId, IncludeKeyMaterial) {
      const all: RotationsListEntry[] = []
      const input = { KeyId, IncludeKeyMaterial }
      for await (const page of paginateListKeyRotations({ client: kms, pageSize: 2 }, input)) {
        all.push(...(page.Rotations ?? []))
      }
      return all
    },
    async rotate(KeyId) {
      await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
      await rotated(KeyId)
    },
    async seal(KeyId, text) {
      const Plaintext = Buffer.from(text)
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
      assert(CiphertextBlob)
      return CiphertextBlob
    },
    async opened(CiphertextBlob) {
      const { Plaintext, KeyMaterialId } = await kms.send(new DecryptCommand({ CiphertextBlob }))
      return [Buffer.from(Plaintext ?? []).toString(), KeyMaterialId]
    },
    async currentOf(KeyId) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
      return KeyMetadata?.CurrentKeyMaterialId ?? assert.fail('no material')
    },
  }
}

export function requireNear(date: Date | undefined, wanted: number): void {
  const late = (date?.getTime() ?? 0) - wanted
  assert(Math.abs(late) < patienceMs, `${late} ms from what was wanted`)
}
