"""A TCP echo server in seven models, a file for each. ``python server.py --model pool`` runs one of them."""

from netlab.hardening.command import main, models_beside

MODELS = models_beside(__file__, first="single")

if __name__ == "__main__":
    main(MODELS, port=20000)
