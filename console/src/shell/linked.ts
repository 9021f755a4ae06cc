/** Values of fields that a link fills, until somebody changes them. @module */
import { useState } from 'react'

/**
 * Returns a value of fields, and what changes it. The value is what the link says, also when another link is
 * followed in the open page; what somebody changes stays until then.
 * @param link names what the address says
 */
export function useLinked<V>(
  value: V,
  link: string,
): readonly [V, (value: V, link?: string) => void] {
  const [changed, setChanged] = useState({ value, link })
  const change = (next: V, of = link): void => setChanged({ value: next, link: of })
  return [changed.link === link ? changed.value : value, change]
}
