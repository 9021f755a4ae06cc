/** Chooses the seal that a setting names. @module */
import type { Random } from '../model/clock.ts'
import { fileSeal } from './file.ts'
import { kmsSeal } from './kms.ts'
import { passphraseSeal } from './passphrase.ts'
import { pkcs11Seal } from './pkcs11.ts'
import type { Seal, SealKind } from './seal.ts'
import type { SealSetting } from './setting.ts'
import { shamirSeal } from './shamir.ts'
import { tpm2Seal } from './tpm2.ts'

type Makers = {
  readonly [K in SealKind]: (of: Extract<SealSetting, { readonly kind: K }>, random: Random) => Seal
}

const makers: Makers = {
  file: ({ path }, random) => fileSeal(path, random),
  passphrase: (_, random) => passphraseSeal(random),
  shamir: (_, random) => shamirSeal(random),
  kms: ({ key }, random) => kmsSeal(key, random),
  pkcs11: ({ key }, random) => pkcs11Seal(key, random),
  tpm2: ({ key }, random) => tpm2Seal(key, random),
}

export function sealOf(setting: SealSetting, random: Random): Seal {
  const make = makers[setting.kind] as (of: SealSetting, random: Random) => Seal // the row of this kind
  return make(setting, random)
}

/** The kind of every recovery seal. It is independent of the seal that opens the root key usually. */
export function recoverySeal(random: Random): Seal {
  return shamirSeal(random)
}
