/** An SDK that is told nothing: credentials, endpoint and Region come from what `trent` has printed. @module */
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'

const client = new KMSClient({ maxAttempts: 1 })
const keyId =
  process.argv[2] ?? (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
const { CiphertextBlob } = await client.send(
  new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('hello') }),
)
const { Plaintext, KeyId } = await client.send(new DecryptCommand({ CiphertextBlob }))
process.stdout.write(`${Buffer.from(Plaintext ?? []).toString()} ${KeyId}\n`)
