export interface Envelope<T> {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly payload: T;
}
