/** The calls of "try it", and the algorithms that they can have. @module */
import {
  DecryptCommand,
  EncryptCommand,
  type EncryptionAlgorithmSpec,
  type KeyMetadata,
  KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import type { Aws } from '../aws/aws.ts'
import { base64Of, bytesOfBase64 } from '../shell/files.ts'
import { tryText } from '../text/try-it.ts'
import type { Attempt } from './code.ts'

const encryptionAlgorithms: readonly EncryptionAlgorithmSpec[] = [
  'SYMMETRIC_DEFAULT',
  'RSAES_OAEP_SHA_256',
  'RSAES_OAEP_SHA_1',
]
const signingAlgorithms: readonly SigningAlgorithmSpec[] = [
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ML_DSA_SHAKE_256',
]

/**
 * Those of the key; all of them while the key is not known, or if the caller may not describe it. A digest alone
 * fits ED25519_PH_SHA_512, and the page signs messages.
 */
export function algorithmsOf(
  operation: Attempt['operation'],
  metadata: KeyMetadata | undefined,
): readonly string[] {
  if (operation === 'encrypt' || operation === 'decrypt') {
    return metadata?.EncryptionAlgorithms ?? encryptionAlgorithms
  }
  const own = metadata?.SigningAlgorithms
  return own?.filter((each) => signingAlgorithms.includes(each)) ?? signingAlgorithms
}

export async function call(aws: Aws, region: string, attempt: Attempt): Promise<string> {
  const { operation, key: KeyId, data, signature, algorithm, context } = attempt
  const bytes = bytesOfBase64(data) ?? new Uint8Array()
  const SigningAlgorithm = algorithm as SigningAlgorithmSpec // of the lists above, or the key's own
  const more = {
    EncryptionAlgorithm: algorithm as EncryptionAlgorithmSpec, // as above
    ...(Object.keys(context).length > 0 && { EncryptionContext: context }),
  }
  // oxlint-disable-next-line typescript/consistent-return -- every operation returns in its case
  return aws.run(KMSClient, region, async (kms) => {
    switch (operation) {
      case 'encrypt': {
        const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes, ...more }))
        return base64Of(answer.CiphertextBlob ?? new Uint8Array())
      }
      case 'decrypt': {
        const answer = await kms.send(new DecryptCommand({ KeyId, CiphertextBlob: bytes, ...more }))
        return shown(answer.Plaintext ?? new Uint8Array())
      }
      case 'sign': {
        const asked = { KeyId, Message: bytes, SigningAlgorithm }
        const answer = await kms.send(new SignCommand(asked))
        return base64Of(answer.Signature ?? new Uint8Array())
      }
      case 'verify': {
        const Signature = bytesOfBase64(signature) ?? new Uint8Array()
        const asked = { KeyId, Message: bytes, Signature, SigningAlgorithm }
        try {
          const { SignatureValid } = await kms.send(new VerifyCommand(asked))
          return SignatureValid === true ? tryText.valid : tryText.invalid
        } catch (error) {
          if (error instanceof Error && error.name === 'KMSInvalidSignatureException') {
            return tryText.invalid
          }
          throw error
        }
      }
    }
  })
}

function shown(plaintext: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
  } catch {
    return `${tryText.binary}\n${base64Of(plaintext)}`
  }
}
