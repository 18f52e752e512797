"""The contact slot's worker process."""

from drivers.host.worker import main
from drivers.social_card.driver import SocialCardAdapter

if __name__ == "__main__":
    main(SocialCardAdapter)
