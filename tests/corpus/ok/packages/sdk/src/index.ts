export class Tidewater {
  constructor(private readonly base: string) {}

  async berths(): Promise<unknown> {
    const answer = await fetch(`${this.base}/berths`);
    if (!answer.ok) throw new Error(`berths: ${answer.status}`);
    return answer.json();
  }
}
