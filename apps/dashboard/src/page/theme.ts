import { nextTheme, type Theme, themeOf } from './page-address.ts'

const STORED_AS = 'theme'

/** Dark or light: as the system until somebody chooses, then as chosen, in this browser and in the address. */
export class PageTheme {
  #chosen: Theme | undefined
  readonly #system = matchMedia('(prefers-color-scheme: light)')
  readonly #onChange: () => void

  constructor(inAddress: Theme | undefined, onChange: () => void) {
    this.#chosen = inAddress ?? themeOf(readStored())
    this.#onChange = onChange
    this.#system.addEventListener('change', () => this.#apply())
    this.#set()
  }

  get chosen(): Theme | undefined {
    return this.#chosen
  }

  next(): void {
    this.#chosen = nextTheme(this.#chosen, this.#system.matches ? 'light' : 'dark')
    store(this.#chosen)
    this.#apply()
  }

  #apply(): void {
    this.#set()
    this.#onChange()
  }

  #set(): void {
    document.documentElement.dataset.theme = this.#chosen ?? (this.#system.matches ? 'light' : 'dark')
  }
}

/** A browser may refuse storage; then the choice lives in the address alone. */
function readStored(): string | null {
  try {
    return localStorage.getItem(STORED_AS)
  } catch {
    return null
  }
}

function store(theme: Theme | undefined): void {
  try {
    if (theme === undefined) localStorage.removeItem(STORED_AS)
    else localStorage.setItem(STORED_AS, theme)
  } catch {
    // As above.
  }
}
