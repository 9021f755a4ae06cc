/** What the tests of imported keys ask of a server, with the official SDK. @module */
import assert from 'node:assert/strict'
import {
  CreateKeyCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  ListKeyRotationsCommand,
  type CreateKeyCommandInput,
  type GetParametersForImportCommandInput,
  type ImportKeyMaterialCommandInput,
  type ImportKeyMaterialCommandOutput,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { wrapped } from '../crypto/wrapped.ts'

export interface Parameters {
  readonly algorithm: NonNullable<GetParametersForImportCommandInput['WrappingAlgorithm']>
  readonly token: Uint8Array
  readonly publicKey: Uint8Array
  readonly validTo: Date
}

type ImportOptions = Omit<
  ImportKeyMaterialCommandInput,
  'KeyId' | 'ImportToken' | 'EncryptedKeyMaterial'
>

export interface Importing {
  readonly makeExternal: (input?: CreateKeyCommandInput) => Promise<string>
  readonly parameters: (
    KeyId: string,
    algorithm?: Parameters['algorithm'],
    size?: NonNullable<GetParametersForImportCommandInput['WrappingKeySpec']>,
  ) => Promise<Parameters>
  /** Wraps material and sends it; does not expire unless `options` say so. */
  readonly send: (
    KeyId: string,
    material: Uint8Array,
    parameters: Parameters,
    options?: ImportOptions,
  ) => Promise<ImportKeyMaterialCommandOutput>
  readonly take: (KeyId: string, KeyMaterialId?: string) => Promise<string | undefined>
  readonly metadata: (KeyId: string) => Promise<KeyMetadata>
  /** State and how long it has material, in one line. */
  readonly state: (KeyId: string) => Promise<string>
  /** One line for each material: its first digits, its state, whether it is imported, until when. */
  readonly history: (KeyId: string) => Promise<readonly string[]>
}

export const forever: ImportOptions = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
export const asNew: ImportOptions = { ...forever, ImportType: 'NEW_KEY_MATERIAL' }

export function importing(kms: KMSClient): Importing {
  const metadata: Importing['metadata'] = async (KeyId) => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    return KeyMetadata ?? assert.fail('nothing is described')
  }
  return {
    metadata,
    async makeExternal(input = {}) {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL', ...input }))
      return KeyMetadata?.KeyId ?? assert.fail('no key was made')
    },
    async parameters(KeyId, algorithm = 'RSAES_OAEP_SHA_256', size = 'RSA_2048') {
      const input = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: size }
      const answer = await kms.send(new GetParametersForImportCommand(input))
      const { ImportToken: token, PublicKey: publicKey, ParametersValidTo: validTo } = answer
      assert(token && publicKey && validTo)
      return { algorithm, token, publicKey, validTo }
    },
    send: (KeyId, material, { algorithm, token, publicKey }, options = forever) =>
      kms.send(
        new ImportKeyMaterialCommand({
          KeyId,
          ImportToken: token,
          EncryptedKeyMaterial: wrapped(publicKey, algorithm, material),
          ...options,
        }),
      ),
    async take(KeyId, KeyMaterialId) {
      const input = { KeyId, KeyMaterialId }
      const answer = await kms.send(new DeleteImportedKeyMaterialCommand(input))
      return answer.KeyMaterialId
    },
    async state(KeyId) {
      const { KeyState, Enabled, ExpirationModel = '-', ValidTo } = await metadata(KeyId)
      assert.equal(Enabled, KeyState === 'Enabled')
      return [KeyState, ExpirationModel, ...(ValidTo ? [ValidTo.toISOString()] : [])].join(' ')
    },
    async history(KeyId) {
      const input = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
      const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand(input))
      return Rotations.map((each) =>
        [
          each.KeyMaterialId?.slice(0, 6),
          each.KeyMaterialState,
          each.ImportState,
          each.ExpirationModel ?? '-',
          ...(each.ValidTo ? [each.ValidTo.toISOString()] : []),
        ].join(' '),
      )
    },
  }
}
