/**
 * The default export that `bun FILE` and `deno serve FILE` both serve.
 *
 * @module
 */

/** A server; Deno takes host and port from its command line instead. */
export interface Served {
  readonly hostname: string;
  readonly port: number;
  fetch(request: Request): Promise<Response>;
}
