/** The reason of a signal that is aborted because the daemon stops: work that can outlive it is left alone. */
export class DaemonStopping extends Error {
  override name = "DaemonStopping";

  constructor() {
    super("the daemon stops");
  }
}
