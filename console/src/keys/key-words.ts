/** A key in the console's words. @module */
import type { KeyMetadata } from '@aws-sdk/client-kms'
import { keysText } from '../text/keys.ts'

export type KeyType = keyof typeof keysText.types
export type Regionality = keyof typeof keysText.regionalities

/** The type of a key, by its spec. */
export function typeOf(spec: string | undefined): KeyType {
  if (spec === undefined || spec === 'SYMMETRIC_DEFAULT') return 'symmetric'
  return spec.startsWith('HMAC_') ? 'hmac' : 'asymmetric'
}

export function regionalityOf(metadata: KeyMetadata): Regionality {
  if (metadata.MultiRegion !== true) return 'single'
  return metadata.MultiRegionConfiguration?.MultiRegionKeyType === 'PRIMARY' ? 'primary' : 'replica'
}

export function stateWord(state: string | undefined): string {
  const words: Readonly<Record<string, string>> = keysText.states
  return words[state ?? ''] ?? state ?? '-'
}

/** `ENCRYPT_DECRYPT` as `Encrypt and decrypt`. */
export function usageWord(usage: string | undefined): string {
  if (usage === undefined) return '-'
  const words = usage.toLowerCase().split('_')
  const text = words.join(words.length === 2 ? ' and ' : ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
