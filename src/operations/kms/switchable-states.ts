/** The key states that EnableKey and DisableKey accept. @module */
import type { KeyState } from '../../model/key.ts'

/** A key in a key store that is not connected stays `Unavailable` until then. */
export const switchableStates: readonly KeyState[] = ['Enabled', 'Disabled', 'Unavailable']
