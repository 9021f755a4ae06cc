/**
 * Parses policy JSON without duplicate members and with limited depth. `JSON.parse` keeps the last of
 * two members with one name, so a reader and the engine could see different policies.
 * @module
 */
import { MalformedJson, parseJson } from '../model/json.ts'

export type JsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: 'syntax' | 'depth' | 'duplicate' }

/** Parses `text` in time linear in its length. The text holds no lone surrogates, except as escapes. */
export function readStrictJson(text: string, depthMax: number): JsonResult {
  try {
    const value = parseJson(Buffer.from(text), { depthMax, keepsLoneSurrogates: true })
    return { ok: true, value }
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    if (error.fault === 'too deep') return { ok: false, why: 'depth' }
    return { ok: false, why: error.fault === 'duplicate member' ? 'duplicate' : 'syntax' }
  }
}
