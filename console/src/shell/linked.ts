/** A field that a link fills, until somebody types into it. @module */
import { useState } from 'react'

/**
 * Returns the text of a field, and what changes it. The text is what the link says, also when another link is
 * followed in the open page; what is typed stays until then.
 */
export function useLinked(link: string): readonly [string, (text: string, link?: string) => void] {
  const [typed, setTyped] = useState({ text: link, link })
  const change = (text: string, of = link): void => setTyped({ text, link: of })
  return [typed.link === link ? typed.text : link, change]
}
