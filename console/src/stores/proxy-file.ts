/** The configuration file of a proxy: the one that AWS's console takes, as proxies write it. @module */
import { storesText } from '../text/stores.ts'

export interface ProxyFile {
  readonly path: string
  readonly accessKeyId: string
  readonly secret: string
  readonly endpoint?: string
}

const fileBytesMax = 64 * 1024

/** @throws when the file is none */
export async function readProxyFile(file: File): Promise<ProxyFile> {
  if (file.size > fileBytesMax) throw new Error(storesText.badFile)
  const read = JSON.parse(await file.text()) as {
    readonly XksProxyUriPath?: unknown
    readonly XksProxyUriEndpoint?: unknown
    readonly XksProxyAuthenticationCredential?: {
      readonly AccessKeyId?: unknown
      readonly RawSecretAccessKey?: unknown
    }
  }
  const { XksProxyUriPath: path, XksProxyUriEndpoint: endpoint } = read
  const { AccessKeyId: id, RawSecretAccessKey: secret } =
    read.XksProxyAuthenticationCredential ?? {}
  if (typeof path !== 'string' || typeof id !== 'string' || typeof secret !== 'string') {
    throw new Error(storesText.badFile)
  }
  return { path, accessKeyId: id, secret, ...(typeof endpoint === 'string' && { endpoint }) }
}
