/** The settings and the client of the servers that die. @module */
import { KMSClient } from '@aws-sdk/client-kms'

export const accountId = '111122223333'
export const region = 'us-west-2'

export const settings = {
  TRENT_ACCOUNT_ID: accountId,
  TRENT_REGION: region,
  TRENT_ROOT_ACCESS_KEY_ID: 'CRASHROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'crash-secret-access-key',
} as const

/** A client of the server's root user, which does not retry. */
export function clientOf({ url }: { readonly url: string }, inRegion: string = region): KMSClient {
  return new KMSClient({
    region: inRegion,
    endpoint: url,
    maxAttempts: 1,
    credentials: {
      accessKeyId: settings.TRENT_ROOT_ACCESS_KEY_ID,
      secretAccessKey: settings.TRENT_ROOT_SECRET_ACCESS_KEY,
    },
  })
}
