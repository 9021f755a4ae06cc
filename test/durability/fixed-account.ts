/** The settings and the clients of the servers that die. @module */
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'

export const accountId = '111122223333'
export const region = 'us-west-2'

export const settings = {
  TRENT_ACCOUNT_ID: accountId,
  TRENT_REGION: region,
  TRENT_ROOT_ACCESS_KEY_ID: 'CRASHROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'crash-secret-access-key',
} as const

const rootUser = {
  maxAttempts: 1,
  credentials: {
    accessKeyId: settings.TRENT_ROOT_ACCESS_KEY_ID,
    secretAccessKey: settings.TRENT_ROOT_SECRET_ACCESS_KEY,
  },
}

/** A client of the server's root user, which does not retry. */
export function clientOf({ url }: { readonly url: string }, inRegion: string = region): KMSClient {
  return new KMSClient({ ...rootUser, region: inRegion, endpoint: url })
}

export function iamOf({ url }: { readonly url: string }): IAMClient {
  return new IAMClient({ ...rootUser, region, endpoint: url })
}
