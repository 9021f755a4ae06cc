/** Reads the settings of delivery. @module */
import { resolve } from 'node:path'
import type { WebhookTarget } from '../../webhooks/webhook.ts'
import { readWebhook, requireUrl, SettingWrong } from '../../webhooks/webhook-settings.ts'
import type { S3Settings } from './s3-archive.ts'

export interface DeliverySettings {
  /** The destination of files; undefined for no delivery. */
  readonly place:
    | { readonly kind: 'directory'; readonly path: string }
    | ({ readonly kind: 's3' } & S3Settings)
    | undefined
  /** The bucket of the operator's trail. A directory stands for one bucket, of this name. */
  readonly bucket: string
  readonly prefix: string | undefined
  readonly kmsKeyId: string | undefined
  /** Other buckets, each with the accounts that may have their records delivered to it. */
  readonly buckets: ReadonlyMap<string, ReadonlySet<string>>
  readonly webhook: WebhookTarget | undefined
  /** How long segments of the journal are kept. */
  readonly retentionDays: number
}

export const deliveryNames = [
  'TRENT_AUDIT_DIR',
  'TRENT_AUDIT_BUCKET',
  'TRENT_AUDIT_PREFIX',
  'TRENT_AUDIT_KMS_KEY_ID',
  'TRENT_AUDIT_BUCKETS',
  'TRENT_AUDIT_RETENTION_DAYS',
  'TRENT_AUDIT_WEBHOOK',
  'TRENT_AUDIT_WEBHOOK_SECRET',
  'TRENT_S3_ENDPOINT',
  'TRENT_S3_REGION',
  'TRENT_S3_ACCESS_KEY_ID',
  'TRENT_S3_SECRET_ACCESS_KEY',
] as const
type Settings = Readonly<Partial<Record<(typeof deliveryNames)[number], string>>>

const bucketPattern = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const retentionDaysDefault = 90

/** @throws {SettingWrong} */
export function readDeliverySettings(settings: Settings): DeliverySettings {
  const place = placeOf(settings)
  const bucket = settings.TRENT_AUDIT_BUCKET ?? (place?.kind === 's3' ? '' : 'trent-audit')
  if (!bucketPattern.test(bucket)) {
    throw new SettingWrong(
      'TRENT_AUDIT_BUCKET must name a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
    )
  }
  const prefix = settings.TRENT_AUDIT_PREFIX
  if (prefix !== undefined && !/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(prefix.slice(0, 201))) {
    throw new SettingWrong('TRENT_AUDIT_PREFIX must be names joined by slashes')
  }
  if (prefix !== undefined && (prefix.length > 200 || prefix.split('/').some(isDots))) {
    throw new SettingWrong('TRENT_AUDIT_PREFIX must be names joined by slashes')
  }
  const kmsKeyId = settings.TRENT_AUDIT_KMS_KEY_ID
  if (kmsKeyId !== undefined && place?.kind !== 's3') {
    throw new SettingWrong(
      'TRENT_AUDIT_KMS_KEY_ID needs TRENT_S3_ENDPOINT: a directory encrypts nothing',
    )
  }
  const buckets = bucketsOf(settings.TRENT_AUDIT_BUCKETS ?? '')
  if (buckets.size > 0 && place?.kind !== 's3') {
    throw new SettingWrong('TRENT_AUDIT_BUCKETS needs TRENT_S3_ENDPOINT: a directory is one bucket')
  }
  const { TRENT_AUDIT_WEBHOOK: url, TRENT_AUDIT_WEBHOOK_SECRET: secret } = settings
  const webhook = readWebhook('TRENT_AUDIT_WEBHOOK', url, secret)
  const retentionDays = retentionOf(settings.TRENT_AUDIT_RETENTION_DAYS)
  return { place, bucket, prefix, kmsKeyId, buckets, webhook, retentionDays }
}

function isDots(name: string): boolean {
  return /^\.+$/.test(name)
}

function placeOf(settings: Settings): DeliverySettings['place'] {
  const { TRENT_AUDIT_DIR: directory, TRENT_S3_ENDPOINT: endpoint } = settings
  if (directory !== undefined && endpoint !== undefined) {
    throw new SettingWrong('TRENT_AUDIT_DIR and TRENT_S3_ENDPOINT exclude each other')
  }
  if (directory !== undefined) return { kind: 'directory', path: resolve(directory) }
  if (endpoint === undefined) return undefined
  requireUrl('TRENT_S3_ENDPOINT', endpoint)
  const accessKeyId = settings.TRENT_S3_ACCESS_KEY_ID
  const secret = settings.TRENT_S3_SECRET_ACCESS_KEY
  if (accessKeyId === undefined || secret === undefined) {
    // The SDK's default chain could find credentials that are meant for a client of Trent.
    throw new SettingWrong(
      'TRENT_S3_ENDPOINT needs TRENT_S3_ACCESS_KEY_ID and TRENT_S3_SECRET_ACCESS_KEY',
    )
  }
  const region = settings.TRENT_S3_REGION ?? 'us-east-1'
  return { kind: 's3', endpoint, region, accessKeyId, plaintextSecretAccessKey: secret }
}

/** `audit=111122223333+444455556666,team=111122223333` */
function bucketsOf(text: string): DeliverySettings['buckets'] {
  const buckets = new Map<string, ReadonlySet<string>>()
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [name = '', accounts = ''] = part.split('=')
    const ids = accounts.split('+')
    if (!bucketPattern.test(name) || !ids.every((id) => /^\d{12}$/.test(id)) || buckets.has(name)) {
      throw new SettingWrong(
        'TRENT_AUDIT_BUCKETS must be buckets with their accounts: audit=111122223333+444455556666',
      )
    }
    buckets.set(name, new Set(ids))
  }
  return buckets
}

function retentionOf(text: string | undefined): number {
  if (text === undefined) return retentionDaysDefault
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (days < 1 || days > 36_500) {
    throw new SettingWrong('TRENT_AUDIT_RETENTION_DAYS must be a whole number from 1 to 36500')
  }
  return days
}
