/** Reads entries of settings that have members, as `NAME:member=value;member=value`. @module */
import { SettingWrong } from './webhook-settings.ts'

/** Of which setting, and of which of its entries. */
export interface SettingEntry {
  readonly setting: string
  readonly entry: string
}

export type MembersOf<Name extends string> = Readonly<Partial<Record<Name, string>>>

/**
 * Reads members that are separated by semicolons. Values are percent-encoded where they contain `%`, `,` or
 * `;`.
 * @throws {SettingWrong}
 */
export function readSettingMembers<Name extends string>(
  of: SettingEntry,
  names: readonly Name[],
  text: string,
): MembersOf<Name> {
  const found: Partial<Record<Name, string>> = {}
  for (const given of text.split(';')) {
    const [, named = '', value = ''] = /^([a-z-]+)=(.+)$/.exec(given.trim()) ?? []
    const name = names.find((each) => each === named)
    if (name === undefined) {
      throw new SettingWrong(`${of.setting}: ${of.entry} has the members ${names.join(', ')}`)
    }
    if (found[name] !== undefined) throw wrongEntry(of, `has one ${name}=`)
    const decoded = decode(value)
    if (decoded === undefined) throw wrongEntry(of, `${name}= is not percent-encoded text`)
    found[name] = decoded
  }
  return found
}

export function wrongEntry({ setting, entry }: SettingEntry, what: string): SettingWrong {
  return new SettingWrong(`${setting}: ${entry} ${what}`)
}

function decode(value: string): string | undefined {
  try {
    const text = decodeURIComponent(value)
    return /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
