/**
 * Buckets of an S3-compatible server. The SDK is loaded when the first file is delivered.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3'
import type { Archive } from './archive.ts'

export interface S3Settings {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly plaintextSecretAccessKey: string
}

/** Time limit of one attempt, in milliseconds; the job retries. */
const attemptMsMax = 30_000

export function createS3Archive(settings: S3Settings): Archive {
  let opening: Promise<S3Client> | undefined
  return {
    encrypts: true,
    async put({ bucket, key, bytes, metadata, kmsKeyId }, signal) {
      opening ??= openClient(settings)
      const client = await opening
      const { PutObjectCommand } = await import('@aws-sdk/client-s3')
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytes,
        ContentType: 'application/json',
        ContentEncoding: 'gzip',
        Metadata: { ...metadata },
        ...(kmsKeyId !== undefined && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId }),
      })
      const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(attemptMsMax)])
      const answer = await client.send(command, { abortSignal })
      if (kmsKeyId !== undefined && answer.ServerSideEncryption !== 'aws:kms') {
        // A server that ignores the header has stored a plain file, which must be removed.
        await removeQuietly(client, bucket, key)
        throw new Error('the server did not encrypt the file under the KMS key')
      }
    },
    async close() {
      const client = await opening?.catch(() => undefined)
      client?.destroy()
    },
  }
}

async function openClient(settings: S3Settings): Promise<S3Client> {
  const { S3Client: Client } = await import('@aws-sdk/client-s3')
  return new Client({
    endpoint: settings.endpoint,
    region: settings.region,
    credentials: {
      accessKeyId: settings.accessKeyId,
      secretAccessKey: settings.plaintextSecretAccessKey,
    },
    // Every server supports path-style URLs; bucket names in host names need DNS entries.
    forcePathStyle: true,
    maxAttempts: 1,
    // Servers other than AWS's may not support the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

async function removeQuietly(client: S3Client, bucket: string, key: string): Promise<void> {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3')
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key })
  await client.send(command).catch(() => undefined) // the caller throws the original failure
}
