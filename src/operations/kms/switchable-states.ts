/** The key states that EnableKey and DisableKey accept. @module */
import type { KeyState } from '../../model/key.ts'

/**
 * AWS also accepts `Unavailable`, the state of a key with a disconnected custom key store. Trent has no
 * custom key stores and refuses it.
 */
export const switchableStates: readonly KeyState[] = ['Enabled', 'Disabled']
