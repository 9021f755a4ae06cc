/** Markers of paginated lists, encrypted and bound to the list that they were issued for. @module */
import type { Keyring } from '../crypto/keyring.ts'
import { NotAuthentic } from '../crypto/keyring.ts'
import { KmsError } from '../errors.ts'
import type { Pages } from './contract/dependencies.ts'

export function createPages(keyring: Pick<Keyring, 'sealToken' | 'openToken'>): Pages {
  return {
    open(scope, marker) {
      if (marker === undefined) return undefined
      try {
        return keyring.openToken('marker', scope, marker).toString('utf8')
      } catch (error) {
        if (error instanceof NotAuthentic) throw new KmsError('InvalidMarkerException')
        throw error
      }
    },
    seal: (scope, after) => keyring.sealToken('marker', scope, Buffer.from(after)),
  }
}
