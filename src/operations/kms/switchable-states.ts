/** The states between which EnableKey and DisableKey move a key. @module */
import type { KeyState } from '../../model/key.ts'

/**
 * A key is Unavailable while its custom key store is not connected; where AWS would let it be switched
 * then, to take effect on reconnection, Trent refuses: there are no custom key stores.
 */
export const switchableStates: readonly KeyState[] = ['Enabled', 'Disabled']
