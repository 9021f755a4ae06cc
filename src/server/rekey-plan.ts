/** What an operator asks for when the root key is to be sealed anew. @module */
import type { Random } from '../model/clock.ts'
import type { RekeyRequest } from '../operations/contract/seal-controls.ts'
import { recoverySeal, sealOf } from '../seals/choose.ts'
import { SealRefused, type Seal, type Wanted } from '../seals/seal.ts'
import { parseSeal, sealText, type SealOptions } from '../seals/setting.ts'
import type { NextRole } from '../store/tables/other-seals.ts'

export interface Plan {
  readonly role: NextRole
  readonly seal: Seal
  /** The value of TRENT_SEAL that names the seal; absent for a recovery seal. */
  readonly setting?: string
  readonly wanted: Wanted
}

/** @throws {SealRefused} */
export function planOf(
  { seal: text, recovery = false, rotate = false, passphrase, shares, threshold }: RekeyRequest,
  current: Seal,
  { random, sealOptions }: { readonly random: Random; readonly sealOptions: SealOptions },
): Plan {
  const wanted = {
    ...(passphrase && { passphrase }),
    ...(shares !== undefined && { shares }),
    ...(threshold !== undefined && { threshold }),
  }
  if (Number(recovery) + Number(rotate) + Number(text !== undefined) > 1) {
    throw new SealRefused('name one of a new seal, a recovery seal and a new root key')
  }
  if (rotate) return { role: 'next-root', seal: current, wanted }
  if (recovery) {
    if (current.asks !== 'nothing') {
      throw new SealRefused(
        `only a seal that opens by itself has a recovery seal: this one is ${current.kind}`,
      )
    }
    return { role: 'next-recovery', seal: recoverySeal(random), wanted }
  }
  if (text === undefined) throw new SealRefused('name the new seal as TRENT_SEAL would')
  const setting = parseSeal(text, sealOptions)
  return { role: 'next', seal: sealOf(setting, random), setting: sealText(setting), wanted }
}

/** A seal that needs nothing but what people give: its record alone is enough to go on with it. */
export function peoplesSeal(kind: string | undefined, random: Random): Seal | undefined {
  return kind === 'passphrase' || kind === 'shamir' ? sealOf({ kind }, random) : undefined
}
